import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { id } from '../fields.ts'
import { exampleRunId } from './example.ts'
import { followRun } from './follow.ts'
import { noRun } from './get.ts'
import { renderEvent } from './log-line.ts'
import { runEvent, runStatuses } from './run.ts'
import { findRun } from './store.ts'

export const runLogs = defineCommand({
  name: 'runs.logs',
  tool: 'molar_run_logs',
  toolset: { default: false },
  title: 'Follow a run',
  summary:
    'Every event of a run as it happens, from the start or after an event, until the run ends or `seconds` are over.',
  input: z.object({
    id,
    after: z.int().min(0).default(0).describe('Only events with a higher seq'),
    seconds: z.int().min(0).max(3600).default(3600),
  }),
  output: z.object({ id, status: z.enum(runStatuses), last_seq: z.int(), ended: z.boolean() }),
  rest: { route: 'GET /v1/runs/{id}/logs', stream: true },
  access: { scope: 'mcp:read' },
  effect: 'read',
  errors: ['not_found'],
  events: runEvent,
  line: renderEvent,
  examples: [
    {
      title: 'nothing comes after the end',
      input: { id: exampleRunId, after: 6 },
      output: { status: 'failed', last_seq: 6, ended: true },
    },
    {
      title: 'what is left after an event',
      input: { id: exampleRunId, after: 4 },
      output: { id: exampleRunId, status: 'failed', last_seq: 6, ended: true },
    },
    { title: 'a run that is not there', input: { id: '019301c0-cafe-7000-bea7-00000000dead' }, error: 'not_found' },
  ],
  async handler({ id, after, seconds }, context, emit) {
    if (!(await findRun(context.db, id))) noRun(id)
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(seconds * 1000)])
    let last = { seq: after, kind: '' }
    await followRun(context.db, context.live, id, after, signal, (event) => {
      last = event
      return emit(event)
    })
    const { status } = (await findRun(context.db, id)) ?? noRun(id)
    return { id, status, last_seq: last.seq, ended: !signal.aborted || last.kind === 'run.end' }
  },
})
