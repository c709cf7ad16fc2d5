import type { HandlerContext, LiveEvents, Queries } from '../context.ts'
import type { RunEvent } from './run.ts'
import { findPosition, readEvents } from './store.ts'

const batch = 500

/**
 * Passes on a run's events after `after`, as they are committed, without gap or repeat, until its run.end; ends early when
 * the signal aborts. The next event waits for what `take` answers, and where it answers nothing it goes on at once:
 * with thousands of readers a promise an event is most of the cost.
 */
export async function followRun(
  db: Queries,
  live: LiveEvents,
  runId: string,
  after: number,
  signal: AbortSignal,
  take: (event: RunEvent) => Promise<void> | void,
): Promise<void> {
  for await (const events of followBatches(db, live, runId, after, signal)) {
    for (const event of events) {
      const taken = take(event)
      if (taken) await taken
    }
  }
}

/** From now on: one item for each change of a run's state and each step that ends. */
export async function followChanges(
  { id }: { id: string },
  { db, live, signal }: HandlerContext,
): Promise<AsyncIterable<RunEvent>> {
  const { seq, ended } = await findPosition(db, id)
  return ended ? none() : changes(followBatches(db, live, id, seq, signal, changing))
}

const changing: readonly RunEvent['kind'][] = ['run.start', 'step.end', 'run.end']

async function* changes(batches: AsyncIterable<readonly RunEvent[]>): AsyncGenerator<RunEvent> {
  for await (const events of batches) for (const event of events) if (changing.includes(event.kind)) yield event
}

async function* none(): AsyncGenerator<never> {}

/**
 * Reads the table, then what all followers of this process share, and the table again where one falls behind. `kinds`,
 * with run.end among them, are what the table is asked for: what followers share holds all.
 */
async function* followBatches(
  db: Queries,
  live: LiveEvents,
  runId: string,
  after: number,
  signal: AbortSignal,
  kinds?: readonly RunEvent['kind'][],
): AsyncGenerator<readonly RunEvent[]> {
  let cursor = after
  for (let more = true; more && !signal.aborted; ) {
    const events = await readEvents(db, runId, cursor, batch, kinds)
    yield events
    if (events.at(-1)?.kind === 'run.end') return
    if (events.length === 0 && cursor > 0 && (await isOver(db, runId, cursor))) return
    cursor = events.at(-1)?.seq ?? cursor
    more = events.length === batch
  }
  const news = watchNews(live, runId, cursor, signal)
  try {
    while (!news.over()) {
      news.reset()
      const events = live.read(runId, cursor) ?? (await readEvents(db, runId, cursor, batch))
      const last = events.at(-1)
      if (!last) {
        await news.wait()
        continue
      }
      yield events
      if (last.kind === 'run.end') return
      cursor = last.seq
    }
  } finally {
    news.stop()
  }
}

/** Who comes back with the last event's number has it all: nothing will ever follow. */
async function isOver(db: Queries, runId: string, cursor: number): Promise<boolean> {
  const { seq, ended } = await findPosition(db, runId)
  return ended && cursor >= seq
}

/** Remembers news that comes while nobody waits, so that none falls between a read and the wait after it. */
function watchNews(live: LiveEvents, runId: string, after: number, signal: AbortSignal) {
  let fresh = false
  let over = signal.aborted // a signal made of several looks at each whenever it is asked
  let wake = () => {}
  const ring = () => {
    fresh = true
    wake()
  }
  const end = () => {
    over = true
    ring()
  }
  const unwatch = live.watch(runId, ring, after)
  signal.addEventListener('abort', end)
  return {
    over: () => over,
    reset: () => {
      fresh = over
    },
    wait: () =>
      new Promise<void>((resolve) => {
        wake = resolve
        if (fresh) resolve()
      }),
    stop: () => {
      unwatch()
      signal.removeEventListener('abort', end)
    },
  }
}
