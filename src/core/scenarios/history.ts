import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { page, pageInput, scenarioRef, time, untrusted } from '../fields.ts'
import { noScenario } from './get.ts'
import { findScenario, listVersions } from './store.ts'

export const scenarioHistory = defineCommand({
  name: 'scenarios.history',
  tool: 'molar_scenario_history',
  toolset: { default: false },
  title: 'Versions of a scenario',
  summary:
    'Every version of a scenario with its text, newest first: what a run had before it, or what to upload to go back.',
  input: z.object({ id: scenarioRef.describe('Slug or id'), ...pageInput }),
  output: page(z.object({ version: z.int(), hash: z.string(), created_at: time, content: untrusted() })),
  rest: 'GET /v1/scenarios/{id}/history',
  access: { scope: 'mcp:read' },
  effect: 'read',
  errors: ['not_found'],
  examples: [
    { title: 'by slug', input: { id: 'example-home' }, output: { items: [{ version: 1 }], next_cursor: null } },
    { title: 'of one that is not there', input: { id: 'no-such-scenario' }, error: 'not_found' },
  ],
  async handler({ id: ref, limit, cursor }, { db, pages }) {
    const { id } = (await findScenario(db, ref)) ?? noScenario(ref)
    const rows = await listVersions(db, id, pages.after<{ version: number }>(cursor)?.version, limit + 1)
    return pages.of(rows, limit, ({ version }) => ({ version }))
  },
})
