import { z } from 'zod'
import { useRuns } from '../billing/index.ts'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { scenarioRef } from '../fields.ts'
import { compiler, findTexts, noScenario } from '../scenarios/index.ts'
import { beginExternal } from './external-store.ts'
import { orderInput } from './order.ts'
import { insertOrder } from './queue.ts'
import { run } from './run.ts'
import { findRuns, notifyRuns } from './store.ts'

export const openRun = defineCommand({
  name: 'runs.open',
  tool: 'molar_open_run',
  toolset: { default: false },
  title: 'Open a run that is executed elsewhere',
  summary:
    'Open a run of a stored scenario that a CI executes itself: nothing is queued. Report its events, artifacts and verdict with molar_ingest_run.',
  input: z.object({
    scenario_id: scenarioRef.describe('Slug or id'),
    executor: z.literal('external').default('external'),
    base_url: orderInput.base_url,
    region: orderInput.region,
    secrets: orderInput.secrets.describe(
      'Values to be kept out of everything that is reported; encrypted, erased when the run ends',
    ),
    repo: orderInput.repo,
    commit_sha: orderInput.commit_sha,
    pr_number: orderInput.pr_number,
    data_row: z.int().min(0).max(10_000).optional().describe('Row of the scenario’s table, from 0'),
  }),
  output: run,
  rest: { route: 'POST /v1/runs', status: 201 },
  access: { scope: 'mcp:run' },
  effect: 'write',
  errors: ['not_found', 'validation_failed'],
  positionals: ['scenario_id'],
  target: (input, output) => output?.id ?? input.scenario_id,
  examples: [
    {
      title: 'a run that a CI executes',
      input: {
        scenario_id: 'example-home',
        executor: 'external',
        base_url: 'http://127.0.0.1:9',
        commit_sha: 'c0ffee0',
      },
      output: { slug: 'example-home', executor: 'external', attempt: 1, commit_sha: 'c0ffee0' },
    },
    { title: 'a scenario that is not there', input: { scenario_id: 'no-such-scenario' }, error: 'not_found' },
    {
      title: 'an executor that opens nothing',
      input: { scenario_id: 'example-home', executor: 'worker' as 'external' },
      error: 'validation_failed',
    },
  ],
  async handler({ scenario_id, data_row, executor: _external, ...order }, context) {
    const [text = noScenario(scenario_id)] = await findTexts(context.db, [scenario_id], [])
    const { compileScenario } = await compiler()
    const result = compileScenario(text.content)
    if (!result.ok) throw new Error(`The stored scenario ${text.slug} does not compile: ${result.problems[0]?.message}`)
    const { plan } = result
    if (data_row !== undefined && plan.data[data_row] === undefined)
      fail('validation_failed', `data_row: ${text.slug} has ${plan.data.length} rows, counted from 0.`)
    const baseUrl = order.base_url ?? plan.settings.base_url ?? null
    const id = await insertOrder({ ...order, variables: {}, text }, plan, baseUrl, data_row ?? null, context)
    await beginExternal(context.db, id)
    await notifyRuns(context.db, [id])
    await useRuns(context, [id])
    const [opened] = await findRuns(context.db, [id])
    return opened!
  },
})
