import type { Queries } from '../context.ts'

export interface AuditRow {
  id: string
  seq: number
  at: Date
  actor: { kind: string; id: string; name: string }
  command: string
  target: string | null
  door: string
  remote_address: string | null
  request_id: string
  result: string
  hash: string
}

export interface AuditFilter {
  command: string | undefined
  from: string | undefined
  to: string | undefined
}

export async function listAuditEvents(
  db: Queries,
  filter: AuditFilter,
  after: { seq: number } | undefined,
  limit: number,
): Promise<AuditRow[]> {
  return db.query<AuditRow>(
    `select id, seq, at, jsonb_build_object('kind', actor_kind, 'id', actor_id, 'name', actor_name) as actor, command, target, door,
       remote_address, request_id, result, encode(hash, 'hex') as hash
     from audit_events
     where ($1::text is null or command = $1) and ($2::timestamptz is null or at >= $2) and ($3::timestamptz is null or at < $3)
       and ($4::bigint is null or seq < $4)
     order by seq desc limit $5`,
    [filter.command ?? null, filter.from ?? null, filter.to ?? null, after?.seq ?? null, limit],
  )
}
