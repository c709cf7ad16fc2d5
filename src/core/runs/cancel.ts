import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { id } from '../fields.ts'
import { endUnheld } from './abort.ts'
import { exampleRunId } from './example.ts'
import { noRun, runDetail, withLinks } from './get.ts'
import { isEnded } from './run.ts'
import { findRun, notifyRuns, requestCancel } from './store.ts'

export const cancelRun = defineCommand({
  name: 'runs.cancel',
  tool: 'molar_cancel_run',
  title: 'Cancel a run',
  summary: 'Stop a queued or running run; it ends as aborted within a second.',
  input: z.object({ id }),
  output: runDetail,
  rest: 'POST /v1/runs/{id}/cancel',
  access: { scope: 'mcp:run' },
  effect: 'write',
  repeatable: true,
  errors: ['not_found', 'conflict'],
  target: (input) => input.id,
  examples: [
    { title: 'a run that has ended', input: { id: exampleRunId }, error: 'conflict' },
    { title: 'a run that is not there', input: { id: '019301c0-cafe-7000-bea7-00000000dead' }, error: 'not_found' },
  ],
  async handler({ id }, { db, principal }) {
    const { status, executor } = (await requestCancel(db, id)) ?? noRun(id)
    if (isEnded(status) && status !== 'aborted') fail('conflict', `Run ${id} has already ended: ${status}.`)
    const unheld = status === 'queued' || (status === 'running' && executor === 'external')
    if (unheld) await endUnheld(db, { id, orgId: principal.org.id }, 'aborted', cancelled(status))
    await notifyRuns(db, [id])
    return withLinks((await findRun(db, id)) ?? noRun(id))
  },
})

const cancelled = (status: string) => ({
  kind: 'cancelled' as const,
  message: status === 'queued' ? 'Cancelled before it started.' : 'Cancelled while it ran elsewhere.',
  step: null,
})
