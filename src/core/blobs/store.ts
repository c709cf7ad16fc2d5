import type { Queries } from '../context.ts'
import type { Artifact } from './artifact.ts'

export interface BlobRow {
  sha256: string
  size: number
  media_type: string
}

export async function insertBlob(db: Queries, orgId: string, blob: BlobRow): Promise<void> {
  await db.query(
    'insert into blobs (org_id, sha256, size, media_type) values ($1, $2, $3, $4) on conflict (org_id, sha256) do update set created_at = now()',
    [orgId, blob.sha256, blob.size, blob.media_type],
  )
}

/** Bytes that are stored, as artifacts of a trace, in two statements; a name that is there is replaced. Names are unique within a kind. */
export async function insertArtifacts(
  db: Queries,
  orgId: string,
  traceId: string,
  artifacts: readonly Artifact[],
): Promise<void> {
  const rows = JSON.stringify(artifacts)
  await db.query(
    `insert into blobs (org_id, sha256, size, media_type)
     select distinct on (a.sha256) $1::uuid, a.sha256, a.size, a.media_type
     from jsonb_to_recordset($2::jsonb) as a(sha256 text, size bigint, media_type text) order by a.sha256
     on conflict (org_id, sha256) do update set created_at = now()`, // used again: its grace begins anew
    [orgId, rows],
  )
  await db.query(
    `insert into trace_artifacts (org_id, trace_id, kind, name, sha256, step_id)
     select $1, $2, a.kind, a.name, a.sha256, a.step_id
     from jsonb_to_recordset($3::jsonb) as a(kind text, name text, sha256 text, step_id text)
     on conflict (trace_id, kind, name) do update set sha256 = excluded.sha256, step_id = excluded.step_id`,
    [orgId, traceId, rows],
  )
}

/** One artifact, as `insertArtifacts`. */
export const insertArtifact = (db: Queries, orgId: string, traceId: string, artifact: Artifact): Promise<void> =>
  insertArtifacts(db, orgId, traceId, [artifact])

/** A trace's artifacts, oldest first. */
export async function findArtifacts(db: Queries, traceId: string): Promise<Artifact[]> {
  return db.query<Artifact>(
    `select a.kind, a.name, a.sha256, b.media_type, b.size, a.step_id
     from trace_artifacts a join blobs b on b.org_id = a.org_id and b.sha256 = a.sha256
     where a.trace_id = $1 order by a.created_at, a.name`,
    [traceId],
  )
}

/** Brings a trace's count and size up to date with its artifacts. */
export async function sumArtifacts(tx: Queries, traceId: string): Promise<void> {
  await tx.query(
    `update traces set (blob_count, total_size_bytes) = (
       select count(*), coalesce(sum(b.size), 0) from trace_artifacts a join blobs b on b.org_id = a.org_id and b.sha256 = a.sha256
       where a.trace_id = $1) where id = $1`,
    [traceId],
  )
}
