import pg from 'pg'
import { connectionConfig } from './connection.ts'
import { asDatabaseError, isConnectionError } from './errors.ts'
import { installQueue, queueMark } from './install-queue.ts'
import { type MigrateOptions, migrate, readMigrations } from './migrate.ts'

/** Everything the owner does before the application starts: the schema, the roles, the queue. Safe to run at any time. */
export async function prepareDatabase(ownerUrl: string, options: MigrateOptions): Promise<string[]> {
  if (await isPrepared(ownerUrl, options)) return []
  const applied = await migrate(ownerUrl, options)
  await installQueue(ownerUrl, { log: options.log })
  return applied
}

/** Whether there is nothing to do: in one statement, because most starts find it so. */
async function isPrepared(ownerUrl: string, { appUser, directory }: MigrateOptions): Promise<boolean> {
  const checksums = (await readMigrations(directory)).map((one) => one.checksum)
  const client = new pg.Client(connectionConfig(ownerUrl, 'molar:prepare'))
  client.on('error', () => {}) // the query in flight rejects with it
  try {
    await client.connect()
    const { rows } = await client.query<{ prepared: boolean }>(preparedSql, [checksums, queueMark(), appUser ?? null])
    return rows[0]?.prepared === true
  } catch (error) {
    if (isConnectionError(error)) throw asDatabaseError(error)
    return false // what it asks for is not there yet, and those who make it say what is wrong
  } finally {
    await client.end().catch(() => {})
  }
}

// The last lines are what letIn and app.let_in see to.
const preparedSql = `
  select array(select checksum from app.migrations order by id) = $1::text[]
    and obj_description(to_regnamespace('pgboss'), 'pg_namespace') = $2
    and coalesce($3::text is null or (
      pg_has_role($3, 'molar_app', kind) and pg_has_role($3, 'molar_system', kind)
      and has_function_privilege($3, 'app.enter(bytea)', 'execute') and has_schema_privilege($3, 'app', 'usage')
      and has_database_privilege($3, current_database(), 'connect')
      and (kind = 'SET' or $3 = current_user or not (select rolinherit from pg_roles where rolname = $3))), false)
    as prepared
  from (select case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end) as it (kind)`
