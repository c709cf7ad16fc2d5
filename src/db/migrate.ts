import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { asDatabaseError, isConnectionError, sqlState } from './errors.ts'
import type { Log } from './log.ts'

/** `appUser` is the login role of the application, where it is not the migrator's own; it is let into Molar's roles. */
export type MigrateOptions = { log: Log; appUser?: string | undefined; directory?: URL }

/** One numbered file. The checksum is of its text with Unix line ends. */
export type Migration = { id: number; name: string; text: string; checksum: string }

// Beside this module, in src/ as in the built package.
const sqlDirectory = new URL('./sql/', import.meta.url)
const lockKey = 5_570_002

/** Reads 000001_name.sql and on, in order; throws when a number is missing or there twice. */
export async function readMigrations(directory: URL = sqlDirectory): Promise<Migration[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith('.sql')).sort()
  return Promise.all(
    files.map(async (file, index) => {
      const [, id, name] = /^(\d{6})_([a-z0-9_]+)\.sql$/.exec(file) ?? []
      if (!id || !name || Number(id) !== index + 1) {
        throw new Error(`Migrations are numbered without gaps: expected ${index + 1}, found ${file}.`)
      }
      const text = (await readFile(new URL(file, directory), 'utf8')).replaceAll('\r\n', '\n')
      return { id: Number(id), name, text, checksum: createHash('sha256').update(text).digest('hex') }
    }),
  )
}

/** What the schema is, as one hash: equal hashes mean equal schemas. */
export async function schemaVersion(directory?: URL): Promise<string> {
  const all = await readMigrations(directory)
  return createHash('sha256')
    .update(all.map((one) => one.checksum).join())
    .digest('hex')
}

/**
 * Brings the database up to this code's schema, each file in its own transaction; returns the names applied. Any number
 * of processes may call it at once. Throws when an applied file was edited, or the schema is newer than this code.
 */
export async function migrate(ownerUrl: string, options: MigrateOptions): Promise<string[]> {
  const migrations = await readMigrations(options.directory)
  const client = new pg.Client({
    connectionString: ownerUrl,
    application_name: 'molar:migrate',
    connectionTimeoutMillis: 10_000,
  })
  client.on('error', () => {}) // the query in flight rejects with it
  try {
    await client.connect()
    await client.query('set statement_timeout = 0')
    const done: string[] = []
    for (const migration of migrations) {
      if (await apply(client, migration, migrations, options.log)) done.push(migration.name)
    }
    if (options.appUser) await letIn(client, options.appUser)
    return done
  } catch (error) {
    throw asDatabaseError(error)
  } finally {
    await client.end().catch(() => {})
  }
}

async function apply(client: pg.Client, migration: Migration, all: Migration[], log: Log): Promise<boolean> {
  return transaction(client, async () => {
    await client.query(
      `create schema if not exists app;
       create table if not exists app.migrations (id int primary key, name text not null, checksum text not null,
         applied_at timestamptz not null default now())`,
    )
    if (await isApplied(client, migration, all)) return false
    const started = performance.now()
    await client.query(migration.text).catch((cause: Error) => {
      if (isConnectionError(cause) || isRace(cause)) throw cause
      throw new Error(`Migration ${migration.id} (${migration.name}) failed: ${cause.message}`, { cause })
    })
    await client.query('insert into app.migrations (id, name, checksum) values ($1, $2, $3)', [
      migration.id,
      migration.name,
      migration.checksum,
    ])
    log.info({ migration: migration.name, ms: Math.round(performance.now() - started) }, 'migrated')
    return true
  })
}

/** The lock lasts as long as the transaction, so it holds through a pooler too. */
async function transaction<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      await client.query('begin')
      await client.query('select pg_advisory_xact_lock($1)', [lockKey])
      const result = await work()
      await client.query('commit')
      return result
    } catch (error) {
      await client.query('rollback').catch(() => {})
      if (!isRace(error) || attempt === 5) throw error
      await sleep(50 * attempt * Math.random())
    }
  }
}

// Roles are the cluster's: migrations of two databases can meet there ("tuple concurrently updated" is XX000).
const isRace = (error: unknown): boolean => ['40P01', '40001', 'XX000', '23505'].includes(sqlState(error) ?? '')

async function isApplied(client: pg.Client, migration: Migration, all: Migration[]): Promise<boolean> {
  const { rows } = await client.query<{ id: number; name: string; checksum: string }>(
    'select id, name, checksum from app.migrations where id = $1 or id = (select max(id) from app.migrations) order by id',
    [migration.id],
  )
  const newest = rows.at(-1)
  if (newest && newest.id > all.length) {
    throw new Error(
      `The database is at schema ${newest.id} (${newest.name}), and this version of Molar knows ${all.length}. Update Molar.`,
    )
  }
  const found = rows.find((row) => row.id === migration.id)
  if (found && found.checksum !== migration.checksum) {
    throw new Error(
      `Migration ${migration.id} was applied as ${found.name} and reads differently now. Applied files are never edited: add a new one.`,
    )
  }
  return found !== undefined
}

const letIn = (client: pg.Client, user: string): Promise<void> =>
  transaction(client, async () => {
    await client.query('select app.let_in($1)', [user])
    // Before 16 inheriting is the login's own property, not the membership's; without this it would see every org's
    // rows in a statement that takes no role.
    const { rows } = await client.query<{ late: boolean }>(
      `select current_setting('server_version_num')::int >= 160000 or $1 = current_user as late`,
      [user],
    )
    if (!rows[0]?.late) await client.query(`alter role ${pg.escapeIdentifier(user)} noinherit`)
  })
