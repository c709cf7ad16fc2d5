import { setTimeout as sleep } from 'node:timers/promises'
import type { JobWithMetadata, PgBoss } from 'pg-boss'
import { claim } from './claim.ts'
import type { Database } from './database.ts'
import type { Log } from './log.ts'

/** The channel on which the names of queues with new jobs are told. */
export const jobsChannel = 'molar_jobs'

/** `attempt` counts from 1. */
export type Job<T extends object = object> = {
  id: string
  name: string
  data: T
  orgId: string | null
  attempt: number
}

/**
 * Resolves: the job is done, and the value is kept as its output. Throws: it is tried again or failed.
 * `signal` aborts when the worker stops, or the job was cancelled or given to another worker: what is done after that
 * is not taken.
 */
export type Handler<T extends object> = (job: Job<T>, context: { signal: AbortSignal }) => Promise<unknown>

/** `slots`: jobs at once in this worker. `perOrgLimit`: jobs of one org at once, over all workers; exact. */
export type WorkOptions = { slots: number; perOrgLimit?: number; heartbeatSeconds?: number }

export type Worker = {
  readonly running: number
  /** Takes no more jobs, waits up to `waitMs` (10 s) for the running ones, aborts the rest and gives them back. */
  stop(options?: { waitMs?: number }): Promise<void>
}

export type Source = { boss: PgBoss; database: Database; log: Log; schema: string; name: string }

type Running = { job: JobWithMetadata<object>; abort: AbortController; done: Promise<void> }

const pollMs = 1000

/** Fetches as many jobs as there are free slots: when one frees, when a job is told of, and each second besides. */
export function dispatch(source: Source, options: WorkOptions, handler: Handler<object>): Worker {
  const running = new Map<string, Running>()
  let stopping = false
  let wanted = true
  let wake = () => {}
  const nudge = () => {
    wanted = true
    wake()
  }
  const unsubscribe = source.database.listen(
    jobsChannel,
    (name) => {
      if (name === source.name) nudge()
    },
    { onReady: nudge },
  )
  const heartbeat = setInterval(() => void beat(source, running), ((options.heartbeatSeconds ?? 15) * 1000) / 3)
  heartbeat.unref()

  async function loop(): Promise<void> {
    while (!stopping) {
      wanted = false
      const free = options.slots - running.size
      const jobs = free > 0 ? await fetchSafely(source, free, options.perOrgLimit) : []
      for (const job of jobs) start(job)
      if (!wanted && !stopping) await pause()
    }
  }

  async function pause(): Promise<void> {
    const timer = new AbortController()
    const woken = new Promise<void>((resolve) => (wake = resolve))
    await Promise.race([woken, sleep(pollMs, undefined, { signal: timer.signal, ref: false }).catch(() => {})])
    timer.abort()
  }

  function start(job: JobWithMetadata<object>): void {
    const abort = new AbortController()
    const attempt = `${job.id}:${job.retryCount}`
    // Its own earlier attempt may still be at work here: its heartbeat ran out, so it is no longer ours.
    for (const other of running.values()) {
      if (other.job.id === job.id) other.abort.abort(new Error('The job was taken away'))
    }
    const done = run(source, job, handler, abort.signal).finally(() => {
      running.delete(attempt)
      nudge()
    })
    running.set(attempt, { job, abort, done })
  }

  const looping = loop()
  return {
    get running() {
      return running.size
    },
    async stop({ waitMs = 10_000 } = {}) {
      stopping = true
      unsubscribe()
      wake()
      await looping
      await settled(running, waitMs)
      await giveBack(source, [...running.values()])
      for (const { abort } of running.values()) abort.abort(new Error('The worker is stopping'))
      await settled(running, 1000)
      clearInterval(heartbeat)
    },
  }
}

async function settled(running: Map<string, Running>, waitMs: number): Promise<void> {
  if (running.size === 0) return
  const timer = new AbortController()
  const all = Promise.allSettled([...running.values()].map(({ done }) => done))
  await Promise.race([all, sleep(waitMs, undefined, { signal: timer.signal }).catch(() => {})])
  timer.abort()
}

async function fetchSafely(source: Source, free: number, perOrgLimit?: number): Promise<JobWithMetadata<object>[]> {
  try {
    return await claim(source, free, perOrgLimit)
  } catch (error) {
    source.log.warn({ error, queue: source.name }, 'could not fetch jobs; trying again')
    await sleep(200 + Math.random() * 300)
    return []
  }
}

/** Everything is fenced to the attempt that was fetched: what an old attempt says of itself changes nothing. */
async function run(source: Source, job: JobWithMetadata<object>, handler: Handler<object>, signal: AbortSignal) {
  const { boss, log, name } = source
  const { id, data, groupId, retryCount } = job
  try {
    const output = await handler({ id, name, data, orgId: groupId ?? null, attempt: retryCount + 1 }, { signal })
    if (!signal.aborted)
      await persist(() => boss.complete(name, [{ id, retryCount }] as never, (output ?? null) as object | null))
  } catch (error) {
    if (signal.aborted) return
    log.warn({ error, queue: name, job: id, attempt: retryCount + 1 }, 'a job failed')
    const message = error instanceof Error ? error.message : String(error)
    await persist(() => boss.fail(name, [{ id, retryCount }] as never, { message })).catch((cause: unknown) => {
      log.error({ error: cause, queue: name, job: id }, 'a failed job could not be marked; its heartbeat will run out')
    })
  }
}

/** A short outage of the database must not make finished work run again. */
async function persist(settle: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return void (await settle())
    } catch (error) {
      if (attempt === 5) throw error
      await sleep(100 * 2 ** attempt)
    }
  }
}

/** Keeps the running jobs ours; one that is no longer ours is aborted. */
async function beat({ boss, log, name }: Source, running: Map<string, Running>): Promise<void> {
  const all = [...running.values()]
  if (all.length === 0) return
  try {
    const ours = all.map(({ job: { id, retryCount } }) => ({ id, retryCount }))
    const { settled: kept } = (await boss.touch(name, ours as never)) as { settled?: string[] }
    for (const { job, abort } of all) {
      if (kept && !kept.includes(job.id)) abort.abort(new Error('The job was taken away'))
    }
  } catch (error) {
    log.warn({ error, queue: name }, 'a heartbeat could not be sent')
  }
}

/** Back to the queue, without counting the attempt. */
async function giveBack({ database, schema, name, log }: Source, rest: Running[]): Promise<void> {
  if (rest.length === 0) return
  await database.system
    .query(
      `update ${schema}.job set state = 'created', started_on = null, heartbeat_on = null
       where name = $1 and state = 'active' and (id::text || ':' || retry_count) = any($2::text[])`,
      [name, rest.map(({ job }) => `${job.id}:${job.retryCount}`)],
    )
    .then(() => database.notify(jobsChannel, name))
    .catch((error: unknown) =>
      log.warn({ error, queue: name }, 'jobs could not be given back; their heartbeats run out'),
    )
}
