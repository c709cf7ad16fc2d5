import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { id } from '../fields.ts'
import { inPerson } from '../principal.ts'
import { findSelf } from './store.ts'

export const authMe = defineCommand({
  name: 'auth.me',
  tool: 'molar_signed_in',
  toolset: { default: false },
  title: 'Who is signed in',
  summary: 'The person whose session this is, and the org that they work in; 401 when nobody is signed in.',
  input: z.object({}),
  output: z.object({ user_id: id, org_id: id.nullable(), email: z.string() }),
  rest: 'GET /auth/me',
  access: { scope: 'mcp:read', tenant: false, credentials: inPerson },
  effect: 'read',
  errors: [],
  examples: [{ title: 'the local owner', input: {}, output: {} }],
  handler: async (_input, { db, principal }) =>
    (await findSelf(db, principal.id)) ?? fail('unauthorized', 'This account is no longer there.'),
})
