import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { page, pageInput } from '../fields.ts'
import { secretFacts } from './secret.ts'
import { listSecrets as selectSecrets } from './store.ts'

export const listSecrets = defineCommand({
  name: 'secrets.list',
  tool: 'molar_list_secrets',
  toolset: { default: false },
  title: 'List secrets',
  summary: 'Names of the secrets that the org’s runs can read, by name; never their values.',
  input: z.object(pageInput),
  output: page(secretFacts),
  rest: 'GET /v1/secrets',
  access: { scope: 'mcp:read', power: 'manage' },
  effect: 'read',
  errors: ['forbidden'],
  examples: [{ title: 'the first', input: { limit: 1, fields: ['name'] }, output: { items: [{ name: 'API_TOKEN' }] } }],
  async handler({ limit, cursor }, { db, pages }) {
    const rows = await selectSecrets(db, pages.after<{ name: string }>(cursor)?.name, limit + 1)
    return pages.of(rows, limit, ({ name }) => ({ name }))
  },
})
