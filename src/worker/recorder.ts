import type { Logger } from 'pino'
import type { TenantDatabase } from '../core/context.ts'
import { leaseStore, type RunEvent } from '../core/runs/index.ts'

/** How long events wait for company before they are written together: no reader notices, and each batch costs a commit. */
const batchMs = 200
/** How long a database that is away is waited for. */
const patienceMs = 60_000

export type NewEvent = { kind: RunEvent['kind']; step_id?: string | null } & Record<string, unknown>

/** A run's one writer: numbers events without gaps and writes them in batches, in order. */
export interface Recorder {
  /** Milliseconds since 1970, as events have them: the wall clock's when the run was taken, and steadily on from there, however that clock is set meanwhile. */
  now(): number
  emit(event: NewEvent): RunEvent
  /** The run's last event, for its caller to write: it commits with the verdict. What is emitted later is dropped. */
  end(event: NewEvent): RunEvent
  /** Everything of the current attempt. */
  events(): readonly RunEvent[]
  beginAttempt(attempt: number): void
  /** Resolves once all that was emitted is committed. Throws LeaseLost, or when the database stays away. */
  flush(): Promise<void>
  /** What is not written yet, in order, now its caller's to write, once all before it is. Throws as `flush` does. */
  take(): Promise<RunEvent[]>
}

/** Another worker has the run now: whatever this one still does of it is not taken. */
export class LeaseLost extends Error {
  constructor() {
    super('another worker has taken this run over')
  }
}

export interface RecorderOptions {
  db: TenantDatabase
  run: { id: string; orgId: string; lease: string }
  lastSeq: number
  attempt: number
  log: Logger
  onLost: () => void
}

export function makeRecorder({ db, run, lastSeq, attempt, log, onLost }: RecorderOptions): Recorder {
  const start = Date.now() - performance.now()
  const now = () => Math.round(start + performance.now())
  let seq = lastSeq
  let current = attempt
  let kept: RunEvent[] = []
  let waiting: RunEvent[] = []
  let writing: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let ended = false

  async function write(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      const held = await persistently(() => leaseStore.insertEvents(db, run, batch), log).catch((error) => {
        waiting = [...batch, ...waiting] // whoever flushes next meets them again: the events have no gaps
        throw error
      })
      if (!held) {
        onLost()
        throw new LeaseLost()
      }
    }
  }

  function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    writing ??= write().finally(() => {
      writing = undefined
    })
    return writing.then(() => (waiting.length > 0 ? flush() : undefined))
  }

  function next({ kind, step_id = null, ...data }: NewEvent): RunEvent {
    const event = { seq: ++seq, ts: now(), kind, step_id, attempt: current, ...data } as RunEvent
    kept.push(event)
    return event
  }

  return {
    now,
    end(event) {
      const last = next(event)
      ended = true
      return last
    },
    emit(fresh) {
      if (ended) return { seq, ts: now(), step_id: null, attempt: current, ...fresh }
      const event = next(fresh)
      waiting.push(event)
      timer ??= setTimeout(
        () => flush().catch((error) => log.warn({ err: error, run_id: run.id }, 'events were not written')),
        batchMs,
      )
      return event
    },
    events: () => kept,
    beginAttempt(number) {
      current = number
      kept = []
    },
    flush,
    async take() {
      clearTimeout(timer)
      timer = undefined
      const rest = waiting
      waiting = []
      await writing
      return rest
    },
  }
}

/** A database that is away for a moment costs a run nothing: what it has to say waits. */
async function persistently<Result>(work: () => Promise<Result>, log: Logger): Promise<Result> {
  const deadline = performance.now() + patienceMs
  for (let pause = 100; ; pause = Math.min(pause * 2, 2000)) {
    try {
      return await work()
    } catch (error) {
      if ((error as { code?: string }).code !== 'unavailable' || performance.now() > deadline) throw error
      log.warn({ err: error }, 'the database is away; events wait')
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }
}
