import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { id } from '../fields.ts'
import { findTexts } from '../scenarios/index.ts'
import { exampleRunId } from './example.ts'
import { noRun } from './get.ts'
import { orderInput } from './order.ts'
import { queueRuns } from './queue.ts'
import { isEnded, run } from './run.ts'
import { findRun, findRuns } from './store.ts'

export const rerunRun = defineCommand({
  name: 'runs.rerun',
  tool: 'molar_rerun',
  toolset: { default: false },
  title: 'Rerun',
  summary:
    'Queue an ended run again, with its base URL and variables and the scenario as it is now. molar_wait_run tells how it ends.',
  input: z.object({ id, base_url: orderInput.base_url, secrets: orderInput.secrets }),
  output: run,
  rest: { route: 'POST /v1/runs/{id}/rerun', status: 201 },
  access: { scope: 'mcp:run' },
  effect: 'write',
  openWorld: true,
  errors: ['not_found', 'conflict', 'validation_failed'],
  target: (input, output) => output?.id ?? input.id,
  examples: [
    {
      title: 'a run that failed',
      input: { id: exampleRunId },
      output: { rerun_of: exampleRunId, slug: 'example-home' },
    },
    { title: 'a run that is not there', input: { id: '019301c0-cafe-7000-bea7-00000000dead' }, error: 'not_found' },
  ],
  async handler({ id, base_url, secrets }, context) {
    const before = (await findRun(context.db, id)) ?? noRun(id)
    if (!isEnded(before.status)) fail('conflict', `Run ${id} is still ${before.status}. Wait for it or cancel it.`)
    const [text] = await findTexts(context.db, [before.scenario_id], [])
    if (!text) fail('conflict', `The scenario ${before.slug} is archived. Upload it again to run it.`)
    const order = {
      text,
      base_url: base_url ?? before.base_url ?? undefined,
      region: before.region,
      variables: before.variables,
      secrets,
      repo: before.repo ?? undefined,
      commit_sha: before.commit_sha ?? undefined,
      pr_number: before.pr_number ?? undefined,
      data_row: before.data_row ?? undefined,
      rerun_of: id,
    }
    const [queued] = await findRuns(context.db, await queueRuns(order, context))
    return queued!
  },
})
