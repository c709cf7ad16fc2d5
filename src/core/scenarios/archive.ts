import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { scenarioRef } from '../fields.ts'
import { noScenario } from './get.ts'
import { scenario } from './scenario.ts'
import { archiveScenario as markArchived } from './store.ts'

export const archiveScenario = defineCommand({
  name: 'scenarios.archive',
  tool: 'molar_archive_scenario',
  toolset: { default: false },
  title: 'Archive a scenario',
  summary: 'Take a scenario out of lists and runs. Its runs and traces stay; uploading it again brings it back.',
  input: z.object({ id: scenarioRef.describe('Slug or id') }),
  output: scenario,
  rest: ['POST /v1/scenarios/{id}/archive', 'DELETE /v1/scenarios/{id}'],
  access: { scope: 'mcp:write' },
  effect: 'write',
  repeatable: true,
  errors: ['not_found'],
  target: (input) => input.id,
  examples: [{ title: 'one that is not there', input: { id: 'no-such-scenario' }, error: 'not_found' }],
  async handler({ id }, { db }) {
    return (await markArchived(db, id)) ?? noScenario(id)
  },
})
