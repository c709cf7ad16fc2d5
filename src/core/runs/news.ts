import type { LiveEvents } from '../context.ts'
import type { RunEvent } from './run.ts'

/** Subscribes to a channel of the database; answers how to stop. */
export type Listen = (
  channel: string,
  onMessage: (payload: string) => void,
  options: { onReady: () => void },
) => () => void

/** Most events of a run that one question brings. */
export const tailBatch = 500

/** Where each run has been read to; answers what came after, a run's events together and in order, `tailBatch` of each at most. */
export type ReadTails = (
  cursors: readonly { runId: string; after: number }[],
) => Promise<{ run_id: string; event: RunEvent }[]>

interface Watched {
  /** Woken by whatever is told of the run: a cancel is no event. */
  bells: Set<() => void>
  /** Woken when there are new events. */
  readers: Set<() => void>
  /** Events after `from`, without gaps, as far as they were read; absent where nobody follows events. */
  tail: { from: number; events: RunEvent[] } | undefined
}

const sweepMs = 1000
/** A reader that is further behind reads the table. */
const keptEvents = 2000

/**
 * One subscription and one reader a process, however many follow: a notification marks runs, one query fetches what is
 * new of all of them, and their followers share it. A notification may be lost with its connection: a sweep each
 * second makes up for it.
 */
export function runNews(listen: Listen, readTails: ReadTails): LiveEvents & { close(): void } {
  const watched = new Map<string, Watched>()
  const marked = new Set<string>()
  let draining = false
  let stop: (() => void) | undefined
  let sweep: NodeJS.Timeout | undefined

  function mark(ids: Iterable<string>): void {
    for (const id of ids) {
      const run = watched.get(id)
      if (run?.tail) marked.add(id)
      for (const wake of run?.bells ?? []) wake()
    }
    if (marked.size > 0 && !draining) void drain()
  }

  async function drain(): Promise<void> {
    draining = true
    try {
      while (marked.size > 0) {
        const ids = [...marked]
        marked.clear()
        for (const id of await fetchTails(ids)) for (const wake of watched.get(id)?.readers ?? []) wake()
      }
    } catch {
      // The database is away: the next sweep asks again.
    } finally {
      draining = false
    }
  }

  /** Reads on where the tails end; answers which runs had news. */
  async function fetchTails(ids: readonly string[]): Promise<Set<string>> {
    const cursors = ids.flatMap((runId) => {
      const tail = watched.get(runId)?.tail
      return tail ? [{ runId, after: endOf(tail) }] : []
    })
    const fresh = new Set<string>()
    const brought = new Map<string, number>()
    for (const { run_id, event } of await readTails(cursors)) {
      const tail = watched.get(run_id)?.tail
      const count = (brought.get(run_id) ?? 0) + 1
      brought.set(run_id, count)
      if (count === tailBatch) marked.add(run_id) // there may be more
      if (!tail || event.seq !== endOf(tail) + 1) continue
      tail.events.push(event)
      fresh.add(run_id)
    }
    for (const id of fresh) trim(watched.get(id)!.tail!)
    return fresh
  }

  const sweepAll = () => mark(watched.keys())

  return {
    watch(runId, wake, after) {
      stop ??= listen('molar_runs', (payload) => mark(payload.split(',')), { onReady: sweepAll })
      sweep ??= setInterval(sweepAll, sweepMs).unref()
      const run = watched.get(runId) ?? { bells: new Set(), readers: new Set(), tail: undefined }
      watched.set(runId, run)
      const wakes = after === undefined ? run.bells : run.readers
      wakes.add(wake)
      if (after !== undefined) {
        run.tail ??= { from: after, events: [] }
        mark([runId])
      }
      return () => {
        wakes.delete(wake)
        if (run.readers.size === 0) run.tail = undefined
        if (run.readers.size + run.bells.size === 0 && watched.get(runId) === run) watched.delete(runId)
      }
    },
    read(runId, after) {
      const tail = watched.get(runId)?.tail
      if (!tail || after < tail.from || after > endOf(tail)) return undefined
      return tail.events.slice(after - tail.from)
    },
    close() {
      clearInterval(sweep)
      stop?.()
    },
  }
}

const endOf = (tail: { from: number; events: RunEvent[] }): number => tail.from + tail.events.length

function trim(tail: { from: number; events: RunEvent[] }): void {
  const surplus = tail.events.length - keptEvents
  if (surplus <= keptEvents) return
  tail.events.splice(0, surplus)
  tail.from += surplus
}
