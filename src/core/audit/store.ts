import type { Queries } from '../context.ts'
import type { ChainedEvent } from './chain.ts'

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

/** The chain's next events after `after`, with all that is hashed. */
export async function readChain(db: Queries, after: number, limit: number): Promise<ChainedEvent[]> {
  const rows = await db.query<Omit<ChainedEvent, 'at'> & { at: Date }>(
    `select id, seq, at, actor_kind, actor_id, actor_name, command, target, door, remote_address, request_id, result,
       encode(previous_hash, 'hex') as previous_hash, encode(hash, 'hex') as hash
     from audit_events where seq > $1 order by seq limit $2`,
    [after, limit],
  )
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }))
}

export async function findAuditHead(db: Queries): Promise<{ seq: number; hash: string } | undefined> {
  const [head] = await db.query<{ seq: number; hash: string }>(
    `select seq, encode(hash, 'hex') as hash from audit_heads`,
  )
  return head
}

/** Of every org, where a chain has begun. */
export async function listAuditHeads(system: Queries) {
  return system.query<{ org_id: string; seq: number; hash: string }>(
    `select org_id, seq, encode(hash, 'hex') as hash from audit_heads where seq > 0 order by org_id`,
  )
}
