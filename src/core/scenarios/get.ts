import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { scenarioRef, untrusted } from '../fields.ts'
import { exampleId } from './example.ts'
import { scenario } from './scenario.ts'
import { findScenario } from './store.ts'

export const getScenario = defineCommand({
  name: 'scenarios.get',
  tool: 'molar_get_scenario',
  title: 'Get a scenario',
  summary: 'One scenario by slug or id, with its Markdown text.',
  input: z.object({ id: scenarioRef.describe('Slug or id') }),
  output: scenario.extend({ content: untrusted() }),
  rest: 'GET /v1/scenarios/{id}',
  access: { scope: 'mcp:read' },
  effect: 'read',
  errors: ['not_found'],
  resource: {
    uri: 'molar://scenarios/{id}',
    name: 'Scenario',
    complete: { id: { list: 'scenarios.list', field: 'slug' } },
  },
  examples: [
    { title: 'by slug', input: { id: 'example-home' }, output: { id: exampleId } },
    { title: 'one that is not there', input: { id: 'no-such-scenario' }, error: 'not_found' },
  ],
  async handler({ id }, { db }) {
    return (await findScenario(db, id)) ?? noScenario(id)
  },
})

export const noScenario = (ref: string): never =>
  fail(
    'not_found',
    `There is no scenario ${ref}. molar_list_scenarios shows those that exist; molar_upload_scenario stores one.`,
  )
