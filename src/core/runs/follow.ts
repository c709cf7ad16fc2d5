import type { LiveEvents, Queries } from '../context.ts'
import type { RunEvent } from './run.ts'
import { readEvents } from './store.ts'

const batch = 500

/**
 * A run's events after `after`, as they are committed, without gap or repeat, until its run.end. Reads the table and
 * waits for news of the run; ends early when the signal aborts.
 */
export async function* followRun(
  db: Queries,
  live: LiveEvents,
  runId: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<RunEvent> {
  const news = watchNews(live, runId, signal)
  try {
    let cursor = after
    while (!signal.aborted) {
      news.reset()
      const events = await readEvents(db, runId, cursor, batch)
      for (const event of events) {
        yield event
        cursor = event.seq
        if (event.kind === 'run.end') return
      }
      if (events.length < batch) await news.wait()
    }
  } finally {
    news.stop()
  }
}

/** Remembers news that comes while nobody waits, so that none falls between a read and the wait after it. */
function watchNews(live: LiveEvents, runId: string, signal: AbortSignal) {
  let fresh = false
  let wake = () => {}
  const ring = () => {
    fresh = true
    wake()
  }
  const unwatch = live.watch(runId, ring)
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
