import type { Queries } from '../context.ts'
import type { Artifact } from './artifact.ts'

export interface BlobRow {
  sha256: string
  size: number
  media_type: string
}

export async function insertBlob(db: Queries, orgId: string, blob: BlobRow): Promise<void> {
  await db.query(
    'insert into blobs (org_id, sha256, size, media_type) values ($1, $2, $3, $4) on conflict do nothing',
    [orgId, blob.sha256, blob.size, blob.media_type],
  )
}

/** Bytes that are stored, as one artifact of a trace; the same name again is replaced. */
export async function insertArtifact(db: Queries, orgId: string, traceId: string, artifact: Artifact): Promise<void> {
  await insertBlob(db, orgId, artifact)
  await db.query(
    `insert into trace_artifacts (org_id, trace_id, kind, name, sha256, step_id) values ($1, $2, $3, $4, $5, $6)
     on conflict (trace_id, kind, name) do update set sha256 = excluded.sha256, step_id = excluded.step_id`,
    [orgId, traceId, artifact.kind, artifact.name, artifact.sha256, artifact.step_id],
  )
}

/** A trace's artifacts, oldest first. */
export async function findArtifacts(db: Queries, traceId: string): Promise<Artifact[]> {
  return db.query<Artifact>(
    `select a.kind, a.name, a.sha256, b.media_type, b.size, a.step_id
     from trace_artifacts a join blobs b on b.org_id = a.org_id and b.sha256 = a.sha256
     where a.trace_id = $1 order by a.created_at, a.name`,
    [traceId],
  )
}
