import type { Queries } from '../context.ts'

/** True when the key is now this call's: it was free, or its last claim ran out without an answer, or its answer is over 24 h old. */
export async function insertClaim(
  db: Queries,
  claim: { orgId: string; id: string; inputHash: string; nonce: string },
): Promise<boolean> {
  const rows = await db.query(
    `insert into idempotency_keys (org_id, id, input_hash, nonce, claimed_until, expires_at)
     values ($1, $2, $3, $4, now() + interval '1 minute', now() + interval '24 hours')
     on conflict (org_id, id) do update
       set input_hash = excluded.input_hash, nonce = excluded.nonce, claimed_until = excluded.claimed_until, expires_at = excluded.expires_at,
           answer = null, sealed = false
       where idempotency_keys.expires_at < now() or (idempotency_keys.answer is null and idempotency_keys.claimed_until < now())
     returning id`,
    [claim.orgId, claim.id, claim.inputHash, claim.nonce],
  )
  return rows.length > 0
}

export async function findClaim(db: Queries, id: string) {
  const [row] = await db.query<{ input_hash: string; answer: Buffer | null; sealed: boolean }>(
    'select input_hash, answer, sealed from idempotency_keys where id = $1',
    [id],
  )
  return row
}

export async function saveAnswer(
  tx: Queries,
  row: { id: string; nonce: string; sealed: boolean; answer: Buffer },
): Promise<boolean> {
  const rows = await tx.query(
    'update idempotency_keys set answer = $3, sealed = $4 where id = $1 and nonce = $2 and answer is null returning id',
    [row.id, row.nonce, row.answer, row.sealed],
  )
  return rows.length > 0
}

export async function removeClaim(db: Queries, claim: { id: string; nonce: string }): Promise<void> {
  await db.query('delete from idempotency_keys where id = $1 and nonce = $2 and answer is null', [
    claim.id,
    claim.nonce,
  ])
}
