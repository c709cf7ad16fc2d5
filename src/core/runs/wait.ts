import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { id } from '../fields.ts'
import { exampleRunId } from './example.ts'
import { noRun } from './get.ts'
import { followRuns, progressEvent, progressLine } from './progress.ts'
import { findRun } from './store.ts'
import { makeVerdict, renderVerdict, verdict } from './verdict.ts'

export const waitRun = defineCommand({
  name: 'runs.wait',
  tool: 'molar_wait_run',
  title: 'Wait for a run',
  summary: 'Wait up to `seconds` for a run to end, with progress, and get its verdict and diagnosis.',
  input: z.object({ id, seconds: z.int().min(0).max(50).default(50) }),
  output: verdict,
  rest: 'GET /v1/runs/{id}/wait',
  access: { scope: 'mcp:read' },
  effect: 'read',
  errors: ['not_found'],
  events: progressEvent,
  line: progressLine,
  render: renderVerdict,
  examples: [
    {
      title: 'a run that has ended',
      input: { id: exampleRunId, seconds: 1 },
      output: { verdict: 'failed', failed: 1, runs: [{ id: exampleRunId }] },
    },
    {
      title: 'a run that is not there',
      input: { id: '019301c0-cafe-7000-bea7-00000000dead', seconds: 1 },
      error: 'not_found',
    },
  ],
  async handler({ id, seconds }, context, emit) {
    const run = (await findRun(context.db, id)) ?? noRun(id)
    await followRuns([run], seconds, context, emit)
    return makeVerdict([(await findRun(context.db, id)) ?? noRun(id)])
  },
})
