import type { z } from 'zod'
import { CommandError } from '../../core/errors.ts'
import type { runVerdict } from '../../core/runs/verdict.ts'
import type { Carrier } from '../carrier.ts'
import type { Progress } from '../print/progress.ts'
import { stopSignal } from '../stop.ts'
import type { Find } from './gather.ts'
import type { Order } from './order.ts'

export type RunVerdict = z.output<typeof runVerdict>
type Verdict = { runs: RunVerdict[] }

const ended = (run: RunVerdict): boolean => !['queued', 'running'].includes(run.status)

/** Starts the runs and follows each to its end, however long that takes; when it is told to stop it cancels them first. */
export async function startAndFollow(
  orders: readonly Order[],
  carrier: Carrier,
  find: Find,
  progress: Progress,
  timeoutMs: number | undefined,
): Promise<RunVerdict[]> {
  const signals = [stopSignal(), ...(timeoutMs === undefined ? [] : [AbortSignal.timeout(timeoutMs)])]
  const signal = AbortSignal.any(signals)
  const started: RunVerdict[] = []
  for (const order of orders)
    started.push(...((await carrier.carry(find('runs.startMany'), { ...order })) as Verdict).runs)
  try {
    return await Promise.all(started.map((run) => followOne(run, carrier, find, progress, signal)))
  } catch (error) {
    await Promise.allSettled(started.map((run) => cancel(run, carrier, find)))
    if (!signal.aborted) throw error
    const why = stopSignal().aborted
      ? 'Stopped, and the runs with it.'
      : 'The time of --timeout is over; the runs were cancelled.'
    throw new CommandError('cancelled', why, { cause: error })
  }
}

async function followOne(
  run: RunVerdict,
  carrier: Carrier,
  find: Find,
  progress: Progress,
  signal: AbortSignal,
): Promise<RunVerdict> {
  const wait = find('runs.wait')
  // Each wait begins at the run's first event, so what was told is remembered.
  const told = new Set<string>()
  const emit = async (event: unknown) => {
    const { attempt, seq } = event as { attempt: number; seq: number }
    if (told.has(`${attempt}:${seq}`)) return
    told.add(`${attempt}:${seq}`)
    progress.tell(run.id, wait.line?.(event) ?? '')
  }
  for (let latest = run; ; ) {
    if (signal.aborted) throw new CommandError('cancelled', 'Stopped.')
    const answer = (await carrier.carry(wait, { id: run.id, seconds: 50 }, { emit, signal })) as Verdict
    latest = answer.runs[0] ?? latest
    if (ended(latest)) return latest
  }
}

/** Ends a run that nobody waits for any more. One that has ended meanwhile is fine. */
async function cancel(run: RunVerdict, carrier: Carrier, find: Find): Promise<void> {
  await carrier.carry(find('runs.cancel'), { id: run.id }, { signal: AbortSignal.timeout(5000) })
}
