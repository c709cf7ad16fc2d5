import { randomUUID } from 'node:crypto'
import type { Clock, JobWithMetadata, PgBoss } from 'pg-boss'
import type { Database, Tx } from './database.ts'
import { dispatch, type Handler, jobsChannel, type Worker, type WorkOptions } from './dispatch.ts'
import type { Log } from './log.ts'

export type { Handler, Job, Worker, WorkOptions } from './dispatch.ts'

/**
 * How a queue's jobs behave. A job whose handler throws, or whose worker dies, is tried again `retryLimit` times (2),
 * `retryDelaySeconds` apart (0, doubling with `retryBackoff`); one attempt lasts at most `expireSeconds` (900).
 */
export type QueueSettings = {
  retryLimit?: number
  retryDelaySeconds?: number
  retryBackoff?: boolean
  expireSeconds?: number
  heartbeatSeconds?: number
}

/**
 * `tx`: the job exists when, and only if, that transaction commits. `orgId`: whose job it is, for limits and fairness.
 * `singletonKey`: at most one job of the org with this key waits or runs. Higher `priority` first, within an org.
 */
export type SendOptions = {
  tx?: Tx
  orgId?: string
  singletonKey?: string
  startAfter?: Date | number
  priority?: number
  retryLimit?: number
  retryDelaySeconds?: number
  expireSeconds?: number
}

export type Queue = {
  /** The job's id; null when a job with its singletonKey is there already. */
  send(name: string, data: object, options?: SendOptions): Promise<string | null>
  /** Hands the queue's jobs to `handler`, at least once each. */
  work<T extends object>(name: string, options: WorkOptions, handler: Handler<T>): Promise<Worker>
  /** Takes a waiting or running job back; a running handler's signal aborts at its next heartbeat. */
  cancel(name: string, id: string): Promise<void>
  find(name: string, id: string): Promise<JobWithMetadata | undefined>
  /** Stops every worker of this queue (see Worker.stop), then maintenance. */
  stop(options?: { waitMs?: number }): Promise<void>
}

/** `schema` must have been made by installQueue. `queues` are the settings by queue name; others have the defaults. */
export type QueueOptions = { database: Database; log: Log; schema?: string; queues?: Record<string, QueueSettings> }

// pg-boss waits for the wall clock to reach the time of its next maintenance: one that is set back by an hour would keep a
// dead worker's job for an hour.
const start = Date.now() - performance.now()
const steadyClock: Clock = {
  now: () => start + performance.now(),
  setTimeout,
  clearTimeout,
  setInterval,
  clearInterval,
}

/**
 * Opens the queue over the application's own connections. It starts at its first use: a process that only reads has
 * nothing to do with it. Every process that uses it also does its share of the maintenance.
 */
export function openQueue({ database, log, schema = 'pgboss', queues = {} }: QueueOptions): Queue {
  let starting: Promise<PgBoss> | undefined
  const known = new Map<string, Promise<void>>()
  const workers = new Set<Worker>()

  const started = () =>
    (starting ??= startAll().catch((error: unknown) => {
      starting = undefined // try again at the next call
      throw error
    }))

  // All whose settings are known are made with it: who sends in a transaction would wait for another connection, of which
  // others that wait for the same may hold the last.
  async function startAll(): Promise<PgBoss> {
    const boss = await startBoss(database, log, schema)
    await Promise.all(Object.keys(queues).map((name) => made(boss, name)))
    return boss
  }

  async function ensure(name: string): Promise<PgBoss> {
    const boss = await started()
    await made(boss, name)
    return boss
  }

  function made(boss: PgBoss, name: string): Promise<void> {
    const making = known.get(name) ?? makeQueue(boss, name, queues[name] ?? {})
    known.set(name, making)
    making.catch(() => known.delete(name))
    return making
  }

  return {
    async send(name, data, options = {}) {
      return send(await ensure(name), database, name, data, options)
    },
    async work(name, options, handler) {
      const boss = await ensure(name)
      const worker = dispatch({ boss, database, log, schema, name }, options, handler as Handler<object>)
      workers.add(worker)
      return worker
    },
    cancel: async (name, id) => void (await (await started()).cancel(name, id)),
    find: async (name, id) => (await (await ensure(name)).findJobs<object>(name, { id }))[0],
    async stop(options) {
      await Promise.all([...workers].map((worker) => worker.stop(options)))
      const boss = await starting?.catch(() => undefined)
      await boss?.stop({ graceful: false, close: false })
    },
  }
}

async function startBoss(database: Database, log: Log, schema: string): Promise<PgBoss> {
  const { PgBoss } = await import('pg-boss')
  const boss = new PgBoss({
    db: { executeSql: (text, values) => execute(database, text, values) },
    schema,
    migrate: false,
    createSchema: false,
    schedule: false,
    clock: steadyClock,
    supervise: true,
    superviseIntervalSeconds: 5, // with the shortest heartbeat, 10 s, a dead worker's job is given back within 20
    monitorIntervalSeconds: 5,
  })
  boss.on('error', (error) => log.warn({ error }, 'queue maintenance failed; it is tried again'))
  return boss.start().catch(async (error: unknown) => {
    await boss.stop({ graceful: false, close: false }).catch(() => {})
    throw error
  })
}

async function execute(database: Database, text: string, values?: unknown[]): Promise<{ rows: unknown[] }> {
  if (!/^\s*BEGIN;/i.test(text)) return { rows: await database.system.query(text, values) }
  const results = await database.script(text)
  return { rows: results.flatMap((result) => result.rows) }
}

// "exclusive": at most one job of a key waits or runs. Jobs without a key get one of their own.
async function makeQueue(boss: PgBoss, name: string, settings: QueueSettings): Promise<void> {
  await boss.createQueue(name, {
    policy: 'exclusive',
    retryLimit: settings.retryLimit ?? 2,
    retryDelay: settings.retryDelaySeconds ?? 0,
    retryBackoff: settings.retryBackoff ?? false,
    expireInSeconds: settings.expireSeconds ?? 900,
    heartbeatSeconds: settings.heartbeatSeconds ?? 15,
  })
  await boss.findJobs(name, { id: randomUUID() }) // pg-boss reads what it must know of a queue at its first use
}

async function send(boss: PgBoss, database: Database, name: string, data: object, options: SendOptions) {
  const sql = options.tx ?? database.system
  const { orgId, singletonKey, startAfter, priority, retryLimit, retryDelaySeconds, expireSeconds } = options
  const id = await boss.send(name, data, {
    db: { executeSql: async (text, values) => ({ rows: await sql.query(text, values) }) },
    ...(orgId === undefined ? {} : { group: { id: orgId } }),
    // With the org in the key no org can tell what keys another one uses.
    singletonKey: singletonKey === undefined ? crypto.randomUUID() : `${orgId ?? ''}:${singletonKey}`,
    ...(startAfter === undefined ? {} : { startAfter }),
    ...(priority === undefined ? {} : { priority }),
    ...(retryLimit === undefined ? {} : { retryLimit }),
    ...(retryDelaySeconds === undefined ? {} : { retryDelay: retryDelaySeconds }),
    ...(expireSeconds === undefined ? {} : { expireInSeconds: expireSeconds }),
  })
  if (id && startAfter === undefined) await sql.query('select pg_notify($1, $2)', [jobsChannel, name])
  return id
}
