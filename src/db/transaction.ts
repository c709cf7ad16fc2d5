import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { asDatabaseError, isConnectionError, isRetryable } from './errors.ts'

/** An open transaction. It ends with the function it was given to: never keep it. */
export type Tx = {
  query<T extends object = Record<string, unknown>>(text: string, params?: unknown[]): Promise<T[]>
}

/**
 * `retry`: try again, at most three times, when the transaction met another (40001, 40P01); `fn` then runs again, so it
 * must have no effect outside. `timeoutMs` is each statement's limit.
 */
export type TxOptions = { retry?: boolean; isolation?: 'repeatable read' | 'serializable'; timeoutMs?: number }

/** Runs `fn` in a transaction on a pooled connection. */
export async function runTransaction<T>(
  pool: pg.Pool,
  settings: string,
  fn: (q: Tx) => Promise<T>,
  options: TxOptions,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await runOnce(pool, `begin isolation level ${options.isolation ?? 'read committed'};${settings}`, fn)
    } catch (error) {
      if (!options.retry || attempt > 3 || !isRetryable(error)) throw asDatabaseError(error)
      await sleep(5 * 2 ** attempt * Math.random())
    }
  }
}

async function runOnce<T>(pool: pg.Pool, begin: string, fn: (q: Tx) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  const onError = (error: Error) => (broken = error) // without a listener a connection lost here would end the process
  client.on('error', onError)
  let open = true
  const q: Tx = {
    async query<R extends object>(text: string, params: unknown[] = []) {
      if (!open) throw new Error('This transaction has ended; do not keep its handle')
      // Extended protocol always, so that one call can never hold several statements (and a hidden COMMIT).
      const result = await client.query({ text, values: params, queryMode: 'extended' } as pg.QueryConfig)
      return result.rows as R[]
    },
  }
  // The first statements go with it. Where it fails, so do they: its transaction is aborted then, or the connection gone.
  const begun = client.query(begin)
  begun.catch(() => {}) // told of below
  try {
    const value = await fn(q)
    await begun
    const { command } = await client.query('commit')
    if (command === 'ROLLBACK') throw new Error('A statement of this transaction failed and its error was swallowed')
    return value
  } catch (thrown) {
    const error = await begun.then(
      () => thrown,
      (first: unknown) => first,
    )
    if (isConnectionError(error)) broken ??= error as Error
    else await client.query('rollback').catch((cause: Error) => (broken ??= cause))
    throw broken && !(error instanceof pg.DatabaseError) && isConnectionError(broken) ? broken : error
  } finally {
    open = false
    client.off('error', onError)
    client.release(broken)
  }
}
