import type { Queries } from '../context.ts'
import type { AuditRecord } from './audit.ts'

export async function lockAuditHead(tx: Queries, orgId: string): Promise<{ seq: number; hash: Buffer }> {
  const [head] = await tx.query<{ seq: number; hash: Buffer }>(
    'select seq, hash from audit_heads where org_id = $1 for update',
    [orgId],
  )
  if (head) return head
  await tx.query(`insert into audit_heads (org_id, seq, hash) values ($1, 0, '') on conflict do nothing`, [orgId])
  return lockAuditHead(tx, orgId)
}

export async function insertAuditEvent(
  tx: Queries,
  orgId: string,
  record: AuditRecord,
  previous: Buffer,
  hash: Buffer,
): Promise<void> {
  await tx.query(
    `insert into audit_events (org_id, seq, id, at, actor_kind, actor_id, actor_name, command, target, door, remote_address,
       request_id, result, previous_hash, hash)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
    [
      orgId,
      record.seq,
      record.id,
      record.at,
      record.actor_kind,
      record.actor_id,
      record.actor_name,
      record.command,
      record.target,
      record.door,
      record.remote_address,
      record.request_id,
      record.result,
      previous,
      hash,
    ],
  )
}

export async function moveAuditHead(tx: Queries, orgId: string, seq: number, hash: Buffer): Promise<void> {
  await tx.query('update audit_heads set seq = $2, hash = $3 where org_id = $1', [orgId, seq, hash])
}
