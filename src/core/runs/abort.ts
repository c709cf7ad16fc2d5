import type { Queries } from '../context.ts'
import { endRun, insertFinalEvent } from './lease-store.ts'
import type { Failure, RunStatus } from './run.ts'
import { findRun, notifyRuns } from './store.ts'

/** Ends a run that no worker holds, with the steps that it has; its last event says so. False where it has ended already. */
export async function endUnheld(
  tx: Queries,
  run: { id: string; orgId: string },
  status: RunStatus,
  failure: Failure,
): Promise<boolean> {
  const steps = (await findRun(tx, run.id))?.steps ?? []
  const diagnosis = { summary: failure.message, evidence: [] }
  const ended = await endRun(
    tx,
    { id: run.id, lease: null },
    { status, steps, failure, diagnosis: status === 'aborted' ? null : diagnosis, signature: null, flaky: false },
  )
  if (!ended) return false
  await insertFinalEvent(tx, run, { status, message: failure.message, duration_ms: 0 })
  await notifyRuns(tx, [run.id])
  return true
}
