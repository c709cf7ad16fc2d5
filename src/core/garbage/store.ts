import type { Queries } from '../context.ts'

export async function findOrgs(system: Queries): Promise<string[]> {
  return (await system.query<{ id: string }>('select id from orgs order by id')).map(({ id }) => id)
}

/** Milliseconds since 1970 by the database's clock. */
export async function readClock(system: Queries): Promise<number> {
  const [row] = await system.query<{ now: Date }>('select now() as now')
  return row!.now.getTime()
}

/** Which traces may go: those that are not pinned, or those that nobody pinned by hand. */
export type Loose = 'unpinned' | 'pinned by itself'

/** Ended traces with artifacts that began before `before`, oldest first. */
export async function findExpired(
  db: Queries,
  before: Date,
  limit: number,
  loose: Loose = 'unpinned',
): Promise<TraceSize[]> {
  const pin = loose === 'unpinned' ? 'pinned' : 'pinned_by_hand'
  return db.query<TraceSize>(
    `select id, total_size_bytes::float8 as size from traces t
     where created_at < $1 and not ${pin} and status not in ('queued', 'running')
       and exists (select from trace_artifacts a where a.trace_id = t.id)
     order by created_at, id limit $2`,
    [before, limit],
  )
}

export interface TraceSize {
  id: string
  /** Bytes of its artifacts, those shared with other traces as well. */
  size: number
}

/** Bytes of all blobs that something of the org still names. */
export async function sumUsed(db: Queries): Promise<number> {
  const [row] = await db.query<{ used: number }>(
    `select coalesce(sum(size), 0)::float8 as used from blobs b where ${isNamed}`,
  )
  return row?.used ?? 0
}

const isNamed = `(exists (select from trace_artifacts a where a.org_id = b.org_id and a.sha256 = b.sha256)
  or exists (select from scenario_assets s where s.org_id = b.org_id and s.sha256 = b.sha256))`

/** Takes these traces' artifacts out of their manifests; the traces themselves, with events and verdict, stay. */
export async function dropArtifacts(tx: Queries, traceIds: readonly string[]): Promise<void> {
  await tx.query('delete from trace_artifacts where trace_id = any($1::uuid[])', [traceIds])
  await tx.query(`update traces set tier = 'cold', total_size_bytes = 0, blob_count = 0 where id = any($1::uuid[])`, [
    traceIds,
  ])
}

/** Forgets blobs that nothing names since `before`. Those that a transaction under way is about to name are passed over. */
export async function forgetBlobs(
  db: Queries,
  before: Date,
  limit: number,
): Promise<{ sha256: string; size: number }[]> {
  return db.query<{ sha256: string; size: number }>(
    `delete from blobs where (org_id, sha256) in (
       select b.org_id, b.sha256 from blobs b where b.created_at < $1 and not ${isNamed}
       limit $2 for update skip locked)
     returning sha256, size::float8 as size`,
    [before, limit],
  )
}

/** Which of these hashes the org's database knows. */
export async function findKnown(db: Queries, hashes: readonly string[]): Promise<Set<string>> {
  const rows = await db.query<{ sha256: string }>('select sha256 from blobs where sha256 = any($1::text[])', [hashes])
  return new Set(rows.map(({ sha256 }) => sha256))
}

export async function forgetIdempotencyKeys(db: Queries): Promise<number> {
  const rows = await db.query('delete from idempotency_keys where expires_at < now() returning 1 as gone')
  return rows.length
}
