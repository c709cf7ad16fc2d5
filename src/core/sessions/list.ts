import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { page, pageInput } from '../fields.ts'
import { inPerson } from '../principal.ts'
import { session } from './session.ts'
import { listSessions as selectSessions } from './store.ts'

export const listSessions = defineCommand({
  name: 'sessions.list',
  tool: 'molar_list_sessions',
  toolset: { default: false },
  title: 'List my sessions',
  summary: 'Where you are signed in, newest first.',
  input: z.object(pageInput),
  output: page(session),
  rest: 'GET /v1/sessions',
  access: { scope: 'mcp:read', tenant: false, credentials: inPerson },
  effect: 'read',
  errors: [],
  examples: [
    { title: 'the local owner has a key and no session', input: {}, output: { items: [], next_cursor: null } },
  ],
  async handler({ limit, cursor }, { db, pages, principal }) {
    const rows = await selectSessions(db, principal.id, pages.after(cursor), limit + 1)
    return pages.of(rows, limit, (row) => ({ created_at: row.created_at, id: row.id }))
  },
})
