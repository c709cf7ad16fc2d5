import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { id, nullableTime, slug } from '../fields.ts'
import { principalKindNames, roles, scopeNames } from '../principal.ts'

export const me = defineCommand({
  name: 'identity.me',
  tool: 'molar_whoami',
  toolset: { default: false },
  title: 'Who am I',
  summary: 'The caller: its org, person, role, scopes and kind of credential.',
  input: z.object({}),
  output: z.object({
    org: z.object({ id, slug, name: z.string() }),
    user: z.object({ id, email: z.string(), name: z.string() }).nullable(),
    role: z.enum(roles),
    scopes: z.array(z.enum(scopeNames)),
    credential: z.object({ id, kind: z.enum(principalKindNames), name: z.string(), expires_at: nullableTime }),
  }),
  rest: 'GET /v1/me',
  access: { scope: 'mcp:read', power: 'belong' },
  effect: 'read',
  errors: [],
  resource: { uri: 'molar://me', name: 'The caller' },
  examples: [{ title: 'the caller', input: {}, output: { role: 'owner', credential: { kind: 'local_owner' } } }],
  async handler(_input, { principal }) {
    const { org, user, role, scopes, id, kind, name, expires_at } = principal
    return { org, user, role, scopes, credential: { id, kind, name, expires_at } }
  },
})
