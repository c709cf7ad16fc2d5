import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { page, pageInput } from '../fields.ts'
import { scenario } from './scenario.ts'
import { listScenarios as selectScenarios } from './store.ts'

export const listScenarios = defineCommand({
  name: 'scenarios.list',
  tool: 'molar_list_scenarios',
  title: 'List scenarios',
  summary: 'The org’s scenarios, latest change first.',
  input: z.object({
    ...pageInput,
    tag: z.string().max(64).optional(),
    archived: z.boolean().default(false).describe('Those that were archived instead'),
  }),
  output: page(scenario),
  rest: 'GET /v1/scenarios',
  access: { scope: 'mcp:read' },
  effect: 'read',
  errors: [],
  resource: { uri: 'molar://scenarios', name: 'Scenarios' },
  examples: [
    { title: 'slugs only', input: { limit: 5, fields: ['slug'] }, output: { truncated: false } },
    { title: 'a limit that is too large', input: { limit: 1000 }, error: 'validation_failed' },
  ],
  async handler({ limit, cursor, tag, archived }, { db, pages }) {
    const rows = await selectScenarios(db, { tag, archived }, pages.after(cursor), limit + 1)
    return pages.of(rows, limit, ({ updated_at, id }) => ({ updated_at, id }))
  },
})
