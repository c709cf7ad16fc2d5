import pg from 'pg'
import { connectionConfig } from './connection.ts'
import { asDatabaseError, isConnectionError } from './errors.ts'
import { enteringSettings, type Identity, settingsOf, tenantIdentity } from './identity.ts'
import { type ListenOptions, openListener } from './listen.ts'
import type { Log } from './log.ts'
import { openPipeline } from './pipeline.ts'
import { encodeSettings, runSingle, type Settings, type SingleResult } from './single.ts'
import { runTransaction, type Tx, type TxOptions } from './transaction.ts'

export type { Tx, TxOptions } from './transaction.ts'

/**
 * `url` may go through PgBouncer in transaction mode; `listenUrl` (default `url`) must be direct. `max` is the number of
 * connections for explicit transactions, `pipelineConnections` that for single statements.
 */
export type DatabaseOptions = {
  url: string
  listenUrl?: string | undefined
  max?: number
  pipelineConnections?: number
  applicationName: string
  statementTimeoutMs?: number
  log: Log
}

export type QueryOptions = { timeoutMs?: number }

/** Runs SQL as one identity: an org, or the system. */
export type Sql = {
  /** One statement, in a transaction of its own, in one round trip. */
  query<T extends object = Record<string, unknown>>(
    text: string,
    params?: unknown[],
    options?: QueryOptions,
  ): Promise<T[]>
  /** Several statements together: commits when `fn` resolves, rolls back when it throws. */
  tx<T>(fn: (q: Tx) => Promise<T>, options?: TxOptions): Promise<T>
}

/** What both single statements and a transaction offer: what a store function asks for. */
export type Queryable = Pick<Tx, 'query'>

export type Database = {
  /** With a person's id, their own rows and memberships can be seen too. */
  tenant(orgId: string, userId?: string): Sql
  system: Sql
  /**
   * One statement as the org of the credential with this fingerprint, in the round trip that finds out whose it is.
   * `holder` is what app.enter answers: the principal as JSON, or null, and then the statement saw no org's rows.
   */
  enter<T extends object>(
    fingerprint: Buffer,
    text: string,
    params?: unknown[],
  ): Promise<{ holder: string | null; rows: T[] }>
  /** Calls `handler` with each payload; `onReady` whenever listening has begun, at first and after each reconnect. */
  listen(channel: string, handler: (payload: string) => void, options?: ListenOptions): () => void
  notify(channel: string, payload: string): Promise<void>
  /** Runs "BEGIN; …; COMMIT;" as the system: several statements without parameters, as pg-boss writes them. */
  script(text: string): Promise<pg.QueryResult[]>
  /** Waits for what is in flight, then closes every connection. */
  close(): Promise<void>
}

/** Opens nothing until it is used. Connections come back by themselves; meanwhile calls throw DatabaseUnavailable. */
export function openDatabase(options: DatabaseOptions): Database {
  const { applicationName, log, url } = options
  const pool = new pg.Pool({
    ...connectionConfig(url, applicationName),
    pipeline: true,
    max: options.max ?? 10,
    idleTimeoutMillis: 30_000,
  })
  pool.on('error', (error) => log.warn({ error }, 'an idle database connection broke'))
  const pipeline = openPipeline({ url, connections: options.pipelineConnections ?? 4, applicationName, log })
  const listener = openListener({ url: options.listenUrl ?? url, applicationName, log })
  const defaultTimeoutMs = options.statementTimeoutMs ?? 15_000

  async function single(settingsText: string, text: string, params: unknown[]): Promise<SingleResult> {
    const settings = encodeSettings(settingsText)
    try {
      return await (pipeline.run(settings, text, params) ?? runPooled(pool, settings, text, params))
    } catch (error) {
      throw asDatabaseError(error)
    }
  }

  const as = (identity: Identity): Sql => ({
    async query<T extends object>(text: string, params: unknown[] = [], { timeoutMs = defaultTimeoutMs } = {}) {
      return (await single(settingsOf(identity, timeoutMs), text, params)).rows as T[]
    },
    tx: (fn, txOptions = {}) =>
      runTransaction(pool, settingsOf(identity, txOptions.timeoutMs ?? defaultTimeoutMs), fn, txOptions),
  })

  const system = as({ role: 'molar_system' })
  return {
    tenant: (orgId, userId) => as(tenantIdentity(orgId, userId)),
    system,
    async enter<T extends object>(fingerprint: Buffer, text: string, params: unknown[] = []) {
      const { answer, rows } = await single(enteringSettings(fingerprint, defaultTimeoutMs), text, params)
      return { holder: answer, rows: rows as T[] }
    },
    listen: listener.listen,
    async notify(channel, payload) {
      await system.query('select pg_notify($1, $2)', [channel, payload])
    },
    script: (text) => runScript(pool, settingsOf({ role: 'molar_system' }, 60_000), text),
    async close() {
      await Promise.all([listener.close(), pipeline.close(), pool.end()])
    },
  }
}

async function runScript(pool: pg.Pool, settings: string, text: string): Promise<pg.QueryResult[]> {
  const begun = text.replace(/^\s*BEGIN;/i, `BEGIN;${settings};`)
  if (begun === text) throw new Error('A script is one transaction and starts with BEGIN;')
  return withClient(pool, async (client) => {
    try {
      const results = (await client.query(begun)) as unknown as pg.QueryResult[]
      return results.filter((_, index) => index !== 1) // the settings' own
    } catch (error) {
      await client.query('rollback').catch(() => {}) // a broken connection is not taken back
      throw asDatabaseError(error)
    }
  })
}

const runPooled = (pool: pg.Pool, settings: Settings, text: string, params: unknown[]): Promise<SingleResult> =>
  withClient(pool, (client) => runSingle(client, settings, text, params))

async function withClient<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  const onError = (error: Error) => (broken = error)
  client.on('error', onError) // without a listener a connection lost here would end the process
  try {
    return await work(client)
  } catch (error) {
    if (isConnectionError(error)) broken ??= error as Error
    throw error
  } finally {
    client.off('error', onError)
    client.release(broken)
  }
}
