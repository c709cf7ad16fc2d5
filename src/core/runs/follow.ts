import type { HandlerContext, LiveEvents, Queries } from '../context.ts'
import type { RunEvent } from './run.ts'
import { findPosition, readEvents } from './store.ts'

const batch = 500

/**
 * A run's events after `after`, as they are committed, without gap or repeat, until its run.end. Reads the table and
 * waits for news of the run; ends early when the signal aborts. `kinds` must have run.end among them.
 */
export async function* followRun(
  db: Queries,
  live: LiveEvents,
  runId: string,
  after: number,
  signal: AbortSignal,
  kinds?: readonly RunEvent['kind'][],
): AsyncGenerator<RunEvent> {
  let cursor = after
  for (let more = true; more && !signal.aborted; ) {
    const events = await readEvents(db, runId, cursor, batch, kinds)
    for (const event of events) {
      yield event
      cursor = event.seq
      if (event.kind === 'run.end') return
    }
    more = events.length === batch
  }
  yield* followLive(db, live, runId, cursor, signal, kinds)
}

/** From where the table's replay ended: what all followers of this process share, and the table for who falls behind. */
async function* followLive(
  db: Queries,
  live: LiveEvents,
  runId: string,
  after: number,
  signal: AbortSignal,
  kinds?: readonly RunEvent['kind'][],
): AsyncGenerator<RunEvent> {
  const news = watchNews(live, runId, after, signal)
  try {
    let cursor = after
    while (!signal.aborted) {
      news.reset()
      const events = live.read(runId, cursor) ?? (await readEvents(db, runId, cursor, batch))
      for (const event of events) {
        cursor = event.seq
        if (!kinds || kinds.includes(event.kind)) yield event
        if (event.kind === 'run.end') return
      }
      if (events.length === 0) await news.wait()
    }
  } finally {
    news.stop()
  }
}

/** From now on: one item for each change of a run's state and each step that ends. */
export async function followChanges(
  { id }: { id: string },
  { db, live, signal }: HandlerContext,
): Promise<AsyncIterable<RunEvent>> {
  const { seq, ended } = await findPosition(db, id)
  return ended ? none() : followRun(db, live, id, seq, signal, ['run.start', 'step.end', 'run.end'])
}

async function* none(): AsyncGenerator<never> {}

/** Remembers news that comes while nobody waits, so that none falls between a read and the wait after it. */
function watchNews(live: LiveEvents, runId: string, after: number, signal: AbortSignal) {
  let fresh = false
  let wake = () => {}
  const ring = () => {
    fresh = true
    wake()
  }
  const unwatch = live.watch(runId, ring, after)
  signal.addEventListener('abort', ring)
  return {
    reset: () => {
      fresh = signal.aborted
    },
    wait: () =>
      new Promise<void>((resolve) => {
        wake = resolve
        if (fresh) resolve()
      }),
    stop: () => {
      unwatch()
      signal.removeEventListener('abort', ring)
    },
  }
}
