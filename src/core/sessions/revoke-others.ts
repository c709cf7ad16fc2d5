import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { inPerson } from '../principal.ts'
import { endOthers } from './store.ts'

export const revokeOtherSessions = defineCommand({
  name: 'sessions.revokeOthers',
  tool: 'molar_revoke_other_sessions',
  toolset: { default: false },
  title: 'End my other sessions',
  summary: 'Sign out everywhere but here.',
  input: z.object({}),
  output: z.object({ ended: z.int() }),
  rest: 'POST /v1/sessions/revoke-others',
  access: { scope: 'mcp:write', tenant: false, credentials: inPerson, fresh: true },
  effect: 'destroy',
  repeatable: true,
  errors: [],
  examples: [{ title: 'the local owner has a key and no session', input: {}, output: { ended: 0 } }],
  handler: async (_input, { db, principal }) => ({ ended: await endOthers(db, principal.id) }),
})
