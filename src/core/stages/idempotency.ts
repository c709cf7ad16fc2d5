import { createHash, hkdfSync } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer } from '../call.ts'
import type { Command } from '../command.ts'
import type { Queries } from '../context.ts'
import { fail } from '../errors.ts'
import { newId } from '../ids.ts'
import { decrypt, encrypt } from '../keyring.ts'
import type { Principal } from '../principal.ts'
import { findClaim, insertClaim, removeClaim, saveAnswer } from './idempotency-store.ts'

/** A key in use by one call. `stored`: the answer that the first call with it gave. */
export interface Claim {
  id: string
  key: string
  /** Tells this claim from a later one, when this call was so slow that its claim ran out. */
  nonce: string
  stored?: Answer
}

/** An answer is given out again for 24 h; a claim whose call died is free again after a minute. */
const maxKeyLength = 255

/**
 * Claims the caller's Idempotency-Key before anything happens. The same key and input get the stored answer, another
 * input is 422, a call still under way 409. Its row commits at once, so a second instance sees it.
 */
export async function claimKey(
  db: Queries,
  command: Command,
  principal: Principal,
  key: string | undefined,
  input: Answer,
): Promise<Claim | undefined> {
  if (key === undefined) return undefined
  if (key === '' || key.length > maxKeyLength)
    fail('bad_request', `Idempotency-Key must have 1 to ${maxKeyLength} characters.`)
  const id = sha256(`${principal.id}\n${key}`)
  // With the key in it, which is not kept: an input may be a secret that few guesses would find.
  const inputHash = sha256(JSON.stringify([key, command.name, input]))
  const nonce = newId()
  if (await insertClaim(db, { orgId: principal.org.id, id, inputHash, nonce })) return { id, key, nonce }
  const found = await findClaim(db, id)
  if (!found) fail('idempotency_in_flight', 'This Idempotency-Key was just released. Send the request again.')
  if (found.input_hash !== inputHash)
    fail(
      'idempotency_key_reused',
      'This Idempotency-Key was used with another request. Use a new key for a new request.',
    )
  if (!found.answer)
    fail('idempotency_in_flight', 'A request with this Idempotency-Key is still under way. Ask again in a moment.')
  return {
    id,
    key,
    nonce,
    stored: found.sealed ? unsealAnswer(found.answer, key, id) : JSON.parse(found.answer.toString()),
  }
}

export async function storeAnswer(tx: Queries, claim: Claim, command: Command, answer: Answer): Promise<void> {
  const text = JSON.stringify(answer)
  const sealed = holdsSecret(command)
  const bytes = sealed ? encrypt(answerKey(claim.key), text, claim.id) : Buffer.from(text)
  const kept = await saveAnswer(tx, { id: claim.id, nonce: claim.nonce, sealed, answer: bytes })
  if (!kept)
    fail(
      'idempotency_in_flight',
      'This request took so long that another one with its Idempotency-Key went ahead. Nothing was changed by this one.',
    )
}

/**
 * Frees the key of a call that failed. A database that was lost in mid-call may have committed it all the same, and is
 * not there to ask: then the key is freed behind the caller's back, unless an answer turns out to be stored.
 */
export async function releaseKey(db: Queries, claim: Claim, reason: unknown): Promise<void> {
  if ((reason as { code?: unknown }).code === 'unavailable') void removeLater(db, claim)
  else await removeClaim(db, claim)
}

/** Tried for as long as the claim would last anyway. */
async function removeLater(db: Queries, claim: Claim): Promise<void> {
  for (let tries = 0; tries < 60; tries++) {
    try {
      return await removeClaim(db, claim)
    } catch {
      await sleep(1000, undefined, { ref: false })
    }
  }
}

/** Whether an answer has a plaintext secret: it is then kept only under a key that the database does not have. */
function holdsSecret(command: Command): boolean {
  return Object.values(command.output.shape).some((field) => {
    const meta = (field as { meta?: () => Record<string, unknown> | undefined }).meta?.()
    return meta?.['x-molar-secret'] === true
  })
}

const unsealAnswer = (answer: Buffer, key: string, id: string): Answer =>
  JSON.parse(decrypt(answerKey(key), answer, id))
const answerKey = (key: string) => Buffer.from(hkdfSync('sha256', key, 'molar', 'idempotent answer', 32))
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
