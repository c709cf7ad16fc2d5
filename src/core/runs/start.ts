import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { scenarioRef } from '../fields.ts'
import { findTexts, noScenario } from '../scenarios/index.ts'
import { orderInput } from './order.ts'
import { queueRuns } from './queue.ts'
import { run } from './run.ts'
import { findRuns } from './store.ts'

export const startRun = defineCommand({
  name: 'runs.start',
  tool: 'molar_start_run',
  toolset: { default: false },
  title: 'Start a run',
  summary: 'Queue one run of a stored scenario and answer at once with its id. molar_wait_run tells how it ends.',
  input: z.object({
    scenario_id: scenarioRef.describe('Slug or id'),
    ...orderInput,
    data_row: z
      .int()
      .min(0)
      .max(10_000)
      .optional()
      .describe('Row of the scenario’s table, from 0; needed where it has one'),
  }),
  output: run,
  rest: { route: 'POST /v1/runs/manual', status: 201 },
  access: { scope: 'mcp:run' },
  effect: 'write',
  openWorld: true,
  errors: ['not_found', 'validation_failed'],
  positionals: ['scenario_id'],
  target: (input, output) => output?.id ?? input.scenario_id,
  examples: [
    {
      title: 'a run against staging',
      input: { scenario_id: 'example-home', base_url: 'http://127.0.0.1:9' },
      output: { slug: 'example-home', type: 'manual', attempt: 0, base_url: 'http://127.0.0.1:9' },
    },
    { title: 'a scenario that is not there', input: { scenario_id: 'no-such-scenario' }, error: 'not_found' },
  ],
  async handler({ scenario_id, data_row, ...order }, context) {
    const [text = noScenario(scenario_id)] = await findTexts(context.db, [scenario_id], [])
    const ids = await queueRuns({ ...order, text, data_row }, context)
    if (ids.length > 1)
      fail(
        'validation_failed',
        `data_row: ${scenario_id} has ${ids.length} rows; name one, or start them all with molar_run_scenarios.`,
      )
    const [queued] = await findRuns(context.db, ids)
    return queued!
  },
})
