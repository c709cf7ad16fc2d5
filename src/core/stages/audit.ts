import { createHash } from 'node:crypto'
import type { Command } from '../command.ts'
import type { CallContext, Queries } from '../context.ts'
import { newId } from '../ids.ts'
import type { Principal } from '../principal.ts'
import { insertAuditEvent, lockAuditHead, moveAuditHead } from './audit-store.ts'

/** Room for the ids of a hundred runs. */
const maxTarget = 4000

/** What is hashed, in this order; a reader recomputes the chain from these fields alone. */
export interface AuditRecord {
  id: string
  seq: number
  at: string
  actor_kind: string
  actor_id: string
  actor_name: string
  command: string
  target: string | null
  door: string
  remote_address: string | null
  request_id: string
  result: string
}

export interface AuditFacts {
  command: Pick<Command, 'name'>
  principal: Principal
  context: Pick<CallContext, 'door' | 'remoteAddress' | 'requestId'>
  target: string | undefined
  result: string
}

/** One event at the end of the org's chain. Locks the chain's head, so it comes last in a transaction. */
export async function appendAudit(tx: Queries, facts: AuditFacts): Promise<void> {
  const { principal, context } = facts
  const head = await lockAuditHead(tx, principal.org.id)
  const record: AuditRecord = {
    id: newId(),
    seq: head.seq + 1,
    at: new Date().toISOString(),
    actor_kind: principal.kind,
    actor_id: principal.id,
    actor_name: principal.name,
    command: facts.command.name,
    target: facts.target === undefined ? null : storable(facts.target),
    door: context.door,
    remote_address: context.remoteAddress ?? null,
    request_id: context.requestId,
    result: facts.result,
  }
  const hash = chainHash(head.hash, record)
  // Sent together: while the head is locked, all writes of the org wait for the way to the database and back.
  await Promise.all([
    insertAuditEvent(tx, principal.org.id, record, head.hash, hash),
    moveAuditHead(tx, principal.org.id, record.seq, hash),
  ])
}

/** A refused call's target is its raw input: of any type, any length, and perhaps nothing that PostgreSQL can hold. */
const storable = (target: unknown): string => String(target).slice(0, maxTarget).replaceAll('\0', '').toWellFormed()

/** SHA-256 over the previous hash and the record's fields in their fixed order. */
export function chainHash(previous: Buffer, record: AuditRecord): Buffer {
  return createHash('sha256')
    .update(previous)
    .update(JSON.stringify(Object.values(record)))
    .digest()
}
