import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { page, pageInput } from '../fields.ts'
import { key } from './key.ts'
import { listKeys as selectKeys } from './store.ts'

export const listKeys = defineCommand({
  name: 'keys.list',
  tool: 'molar_list_keys',
  toolset: { default: false },
  title: 'List API keys',
  summary: 'The org’s API keys, newest first: names, scopes, last use; never the plaintext.',
  input: z.object(pageInput),
  output: page(key),
  rest: 'GET /v1/api-keys',
  access: { scope: 'mcp:read', power: 'manage' },
  effect: 'read',
  errors: ['forbidden'],
  examples: [{ title: 'the newest key', input: { limit: 1 }, output: { items: [{ revoked_at: null }] } }],
  async handler({ limit, cursor }, { db, pages }) {
    const rows = await selectKeys(db, pages.after(cursor), limit + 1)
    return pages.of(rows, limit, (row) => ({ created_at: row.created_at, id: row.id }))
  },
})
