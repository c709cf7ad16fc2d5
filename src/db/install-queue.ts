import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { connectionConfig } from './connection.ts'
import { asDatabaseError } from './errors.ts'
import type { Log } from './log.ts'

/** Makes or updates pg-boss's schema, as its owner, and lets Molar's roles use it. After `migrate`, which makes them. */
export async function installQueue(ownerUrl: string, options: { schema?: string; log: Log }): Promise<void> {
  const schema = options.schema ?? 'pgboss'
  const { PgBoss } = await import('pg-boss')
  const client = new pg.Client(connectionConfig(ownerUrl, 'molar:install-queue'))
  client.on('error', () => {}) // the query in flight rejects with it
  try {
    await client.connect()
    const db = {
      executeSql: async (text: string, values?: unknown[]) => {
        const result = (await client.query(text, values)) as pg.QueryResult | pg.QueryResult[]
        return { rows: Array.isArray(result) ? result.flatMap((one) => one.rows) : result.rows }
      },
    }
    const boss = new PgBoss({ db, schema, supervise: false, schedule: false, useListenNotify: false })
    boss.on('error', (error) => options.log.warn({ error }, 'while installing the queue'))
    await client.query('select pg_advisory_lock(5570004)') // pg-boss's own lock does not cover its first look
    await boss.start()
    await boss.stop({ graceful: false, close: false })
    const name = pg.escapeIdentifier(schema)
    const marked = `comment on schema ${name} is ${pg.escapeLiteral(queueMark(schema))}`
    await client.query(grants(name) + marked) // one message, so one transaction: what is marked is granted
  } catch (error) {
    throw asDatabaseError(error)
  } finally {
    await client.end().catch(() => {})
  }
}

/** What the queue's schema says in its comment once this code has installed it. */
export function queueMark(schema = 'pgboss'): string {
  const home = fileURLToPath(new URL('../package.json', import.meta.resolve('pg-boss')))
  const { version } = JSON.parse(readFileSync(home, 'utf8')) as { version: string }
  return `Molar: pg-boss ${version}, ${createHash('sha256').update(grants(schema)).digest('hex').slice(0, 16)}`
}

/**
 * The system runs the queue. An org's transaction may add jobs and nothing else: it reads no job back but its own new
 * id (RETURNING needs that column), because jobs have no row-level security.
 */
const grants = (schema: string): string => `
  grant usage on schema ${schema} to molar_app, molar_system;
  grant select, insert, update, delete on all tables in schema ${schema} to molar_system;
  grant usage, select on all sequences in schema ${schema} to molar_system;
  grant execute on all functions in schema ${schema} to molar_app, molar_system;
  grant select on ${schema}.queue to molar_app;
  grant insert, select (id, start_after) on ${schema}.job, ${schema}.job_common to molar_app;
`
