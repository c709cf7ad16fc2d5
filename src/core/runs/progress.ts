import { z } from 'zod'
import type { Emit } from '../command.ts'
import type { HandlerContext } from '../context.ts'
import { untrusted } from '../fields.ts'
import { followRun } from './follow.ts'
import type { RunEvent } from './run.ts'

/** What a caller that waits is told: starts, finished steps, ends. */
export const progressEvent = z.object({
  run_id: z.string(),
  slug: z.string(),
  seq: z.int(),
  kind: z.enum(['run.start', 'step.end', 'run.end']),
  attempt: z.int(),
  step: z.object({ number: z.int(), of: z.int(), text: z.string(), status: z.string() }).optional(),
  status: z.string().optional(),
  message: untrusted().optional(),
  duration_ms: z.int().optional(),
})
export type ProgressEvent = z.infer<typeof progressEvent>

export interface Followed {
  id: string
  slug: string
  step_count: number
}

/** Passes on each run's progress until all have ended or `seconds` are over. */
export async function followRuns(
  runs: readonly Followed[],
  seconds: number,
  context: HandlerContext,
  emit: Emit<ProgressEvent>,
): Promise<void> {
  if (runs.length === 0 || seconds === 0) return
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(seconds * 1000)])
  await Promise.all(runs.map((run) => followOne(run, context, signal, emit)))
}

async function followOne(
  run: Followed,
  context: HandlerContext,
  signal: AbortSignal,
  emit: Emit<ProgressEvent>,
): Promise<void> {
  await followRun(context.db, context.live, run.id, 0, signal, (event) => {
    const progress = readProgress(run, event)
    return progress && emit(progress)
  })
}

function readProgress(run: Followed, event: RunEvent): ProgressEvent | undefined {
  const { kind, seq, attempt } = event
  if (kind !== 'run.start' && kind !== 'step.end' && kind !== 'run.end') return undefined
  return {
    run_id: run.id,
    slug: run.slug,
    seq,
    kind,
    attempt,
    ...(kind === 'step.end' && {
      step: {
        number: Number(event.number),
        of: run.step_count,
        text: String(event.text),
        status: String(event.status),
      },
    }),
    ...(kind === 'run.end' && { status: String(event.status) }),
    ...(typeof event.message === 'string' && { message: event.message }),
    ...(typeof event.duration_ms === 'number' && { duration_ms: event.duration_ms }),
  }
}

const marks: Record<string, string> = {
  passed: '✓',
  failed: '✗',
  errored: '✗',
  skipped: '–',
  warning: '!',
  aborted: '■',
}

/** One line of progress. */
export function progressLine(event: ProgressEvent): string {
  if (event.kind === 'run.start')
    return `${event.slug}: started${event.attempt > 1 ? ` (attempt ${event.attempt})` : ''}`
  if (event.step)
    return `${event.slug}: ${marks[event.step.status] ?? '·'} ${event.step.number}/${event.step.of} ${event.step.text}`
  return `${event.slug}: ${marks[event.status ?? ''] ?? ''} ${event.status} in ${((event.duration_ms ?? 0) / 1000).toFixed(1)} s`
}
