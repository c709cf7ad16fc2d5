import type { Queries } from '../context.ts'

export interface SecretRow {
  name: string
  created_at: Date
  updated_at: Date
}

const columns = 'name, created_at, updated_at'

export async function listSecrets(db: Queries, after: string | undefined, limit: number): Promise<SecretRow[]> {
  return db.query<SecretRow>(
    `select ${columns} from secrets where $1::text is null or name > $1 order by name limit $2`,
    [after ?? null, limit],
  )
}

export async function countSecrets(db: Queries): Promise<number> {
  const [row] = await db.query<{ count: number }>('select count(*)::int as count from secrets')
  return row?.count ?? 0
}

/** Which of these names the org has. */
export async function findSecretNames(db: Queries, names: readonly string[]): Promise<Set<string>> {
  const rows = await db.query<{ name: string }>('select name from secrets where name = any($1::text[])', [names])
  return new Set(rows.map(({ name }) => name))
}

export async function findSecrets(db: Queries, names: readonly string[]) {
  return db.query<{ name: string; version: number; sealed: Buffer }>(
    'select name, version, sealed from secrets where name = any($1::text[])',
    [names],
  )
}

/** The version that the next value of this name has; holds the name until the transaction ends. */
export async function nextVersion(tx: Queries, name: string): Promise<number> {
  const [row] = await tx.query<{ version: number }>('select version from secrets where name = $1 for update', [name])
  return (row?.version ?? 0) + 1
}

export async function upsertSecret(
  tx: Queries,
  secret: { orgId: string; name: string; version: number; sealed: Buffer },
): Promise<SecretRow> {
  const [row] = await tx.query<SecretRow>(
    `insert into secrets (org_id, name, version, sealed) values ($1, $2, $3, $4)
     on conflict (org_id, name) do update set version = excluded.version, sealed = excluded.sealed, updated_at = now()
     returning ${columns}`,
    [secret.orgId, secret.name, secret.version, secret.sealed],
  )
  return row!
}

export async function deleteSecret(db: Queries, name: string): Promise<SecretRow | undefined> {
  const [row] = await db.query<SecretRow>(`delete from secrets where name = $1 returning ${columns}`, [name])
  return row
}

export async function findOrgKey(db: Queries): Promise<Buffer | undefined> {
  const [row] = await db.query<{ wrapped: Buffer }>('select wrapped from org_keys')
  return row?.wrapped
}

export async function insertOrgKey(tx: Queries, orgId: string, wrapped: Buffer): Promise<void> {
  await tx.query('insert into org_keys (org_id, wrapped) values ($1, $2) on conflict do nothing', [orgId, wrapped])
}

/** Data keys that another key than `newest` wraps, held until the transaction ends. */
export async function lockStaleOrgKeys(tx: Queries, newest: number, limit: number) {
  return tx.query<{ org_id: string; wrapped: Buffer }>(
    `select org_id, wrapped from org_keys where get_byte(wrapped, 0) <> $1 order by org_id limit $2 for update skip locked`,
    [newest, limit],
  )
}

export async function countStaleOrgKeys(system: Queries, newest: number): Promise<number> {
  const [row] = await system.query<{ count: number }>(
    'select count(*)::int as count from org_keys where get_byte(wrapped, 0) <> $1',
    [newest],
  )
  return row?.count ?? 0
}

export async function rewrapOrgKey(tx: Queries, orgId: string, wrapped: Buffer): Promise<void> {
  await tx.query('update org_keys set wrapped = $2, wrapped_at = now() where org_id = $1', [orgId, wrapped])
}

export interface InstallationKeyRow {
  id: number
  wrapped: Buffer
  secret_id: string
  active_in_ms: number
}

/** Times as distances: clocks of processes differ from the database's. */
export async function listInstallationKeys(system: Queries, { lock = false } = {}): Promise<InstallationKeyRow[]> {
  return system.query<InstallationKeyRow>(
    `select id, wrapped, secret_id, extract(epoch from active_at - now())::float8 * 1000 as active_in_ms
     from installation_keys order by id${lock ? ' for update' : ''}`,
  )
}

/** Where two first starts race, the first one's key counts. */
export async function insertInstallationKey(
  system: Queries,
  key: { id: number; wrapped: Buffer; secretId: string; warmUpSeconds: number },
): Promise<void> {
  await system.query(
    `insert into installation_keys (id, wrapped, secret_id, active_at)
     values ($1, $2, $3, now() + make_interval(secs => $4)) on conflict do nothing`,
    [key.id, key.wrapped, key.secretId, key.warmUpSeconds],
  )
}

export async function rewrapInstallationKey(
  tx: Queries,
  key: { id: number; wrapped: Buffer; secretId: string },
): Promise<void> {
  await tx.query('update installation_keys set wrapped = $2, secret_id = $3 where id = $1', [
    key.id,
    key.wrapped,
    key.secretId,
  ])
}
