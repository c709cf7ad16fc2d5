import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { id } from '../fields.ts'
import { inPerson } from '../principal.ts'
import { session } from './session.ts'
import { endSession } from './store.ts'

export const revokeSession = defineCommand({
  name: 'sessions.revoke',
  tool: 'molar_revoke_session',
  toolset: { default: false },
  title: 'End a session',
  summary: 'Sign out somewhere else: the session’s next request fails.',
  input: z.object({ id }),
  output: session,
  rest: 'DELETE /v1/sessions/{id}',
  access: { scope: 'mcp:write', tenant: false, credentials: inPerson, fresh: true },
  effect: 'destroy',
  errors: ['not_found'],
  target: (input) => input.id,
  examples: [
    { title: 'one that is not there', input: { id: '019301c0-cafe-7000-bea7-00000000dead' }, error: 'not_found' },
  ],
  handler: async ({ id }, { db, principal }) =>
    (await endSession(db, principal.id, id)) ??
    fail('not_found', `You have no session ${id}. molar_list_sessions shows yours.`),
})
