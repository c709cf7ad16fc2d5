import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { page, pageInput } from '../fields.ts'
import { inPerson } from '../principal.ts'
import { findTokens } from './store.ts'
import { token } from './token.ts'
import { whose } from './whose.ts'

export const listTokens = defineCommand({
  name: 'tokens.list',
  tool: 'molar_list_tokens',
  toolset: { default: false },
  title: 'List tokens',
  summary: 'One’s own personal tokens, for owners and admins all tokens of the org, newest first; never the plaintext.',
  input: z.object(pageInput),
  output: page(token),
  rest: { route: 'GET /api/v1/tokens', envelope: { items: 'tokens', count: true } },
  access: { scope: 'mcp:read', power: 'belong', credentials: inPerson },
  effect: 'read',
  errors: [],
  examples: [{ title: 'the newest token', input: { limit: 1 }, output: { truncated: false } }],
  async handler({ limit, cursor }, { db, pages, principal }) {
    const rows = await findTokens(db, whose(principal), pages.after(cursor), limit + 1)
    return pages.of(rows, limit, ({ created_at, id }) => ({ created_at, id }))
  },
})
