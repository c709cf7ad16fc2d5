import type { Queries } from '../context.ts'
import { endRun, insertFinalEvent } from './store.ts'

/** Ends a run that no worker holds: its events then are the one that says so. */
export async function abortQueued(tx: Queries, run: { id: string; orgId: string }): Promise<void> {
  const failure = { kind: 'cancelled' as const, message: 'Cancelled before it started.', step: null }
  const ended = await endRun(
    tx,
    { id: run.id, lease: null },
    { status: 'aborted', steps: [], failure, diagnosis: null, signature: null, flaky: false },
  )
  if (ended) await insertFinalEvent(tx, run, { status: 'aborted', message: failure.message, duration_ms: 0 })
}
