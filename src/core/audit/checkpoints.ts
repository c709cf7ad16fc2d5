import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Database } from '../context.ts'
import type { Keyring } from '../keyring.ts'
import { listAuditHeads } from './store.ts'

/** What a chain was at a time, signed, and kept where who may write the database may not. */
export interface Checkpoint {
  org_id: string
  seq: number
  /** SHA-256 of the event with that number, in hexadecimal. */
  hash: string
  at: string
  /** Which of the installation's keys signed it. */
  key_id: number
  /** Ed25519 over the fields above, in their order, as a JSON array; base64url. */
  signature: string
}

/** Checkpoints outside the database: they are added, and never changed. */
export interface CheckpointStore {
  add(checkpoint: Checkpoint): Promise<void>
  /** All of an org, as they were added. Lines that are none are left out. */
  read(orgId: string): Promise<Checkpoint[]>
}

/** A file an org in `folder`, a checkpoint a line, mode 0600. */
export function fileCheckpoints(folder: string): CheckpointStore {
  const pathOf = (orgId: string) => join(folder, `${orgId}.ndjson`)
  return {
    async add(checkpoint) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const file = await open(pathOf(checkpoint.org_id), 'a', 0o600)
      try {
        await file.write(`${JSON.stringify(checkpoint)}\n`)
        await file.sync()
      } finally {
        await file.close()
      }
    },
    async read(orgId) {
      const text = await readFile(pathOf(orgId), 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return ''
        throw error
      })
      return text.split('\n').flatMap((line) => readLine(line) ?? [])
    },
  }
}

function readLine(line: string): Checkpoint | undefined {
  try {
    const value = JSON.parse(line)
    return typeof value?.seq === 'number' && typeof value.signature === 'string' ? value : undefined
  } catch {
    return undefined // half a line, where a disk was full
  }
}

/** A public key by which checkpoints are checked. */
export interface AuditKey {
  id: number
  public_key: string
}

/** The installation's public keys, as PEM; newest first. */
export const auditKeys = (keyring: Keyring): AuditKey[] =>
  keyring.auditKeys().map(({ id, key }) => ({
    id,
    public_key: createPublicKey(privateKey(key)).export({ format: 'pem', type: 'spki' }) as string,
  }))

function signCheckpoint(keyring: Keyring, facts: { org_id: string; seq: number; hash: string }): Checkpoint {
  const [newest] = keyring.auditKeys()
  const unsigned = { ...facts, at: new Date().toISOString(), key_id: newest.id }
  return { ...unsigned, signature: sign(null, signed(unsigned), privateKey(newest.key)).toString('base64url') }
}

export function isSigned(checkpoint: Checkpoint, keys: readonly AuditKey[]): boolean {
  const key = keys.find(({ id }) => id === checkpoint.key_id)
  if (!key) return false
  try {
    const signature = Buffer.from(checkpoint.signature, 'base64url')
    return verify(null, signed(checkpoint), createPublicKey(key.public_key), signature)
  } catch {
    return false // no key, or no signature
  }
}

const signed = ({ org_id, seq, hash, at, key_id }: Omit<Checkpoint, 'signature'>): Buffer =>
  Buffer.from(JSON.stringify([org_id, seq, hash, at, key_id]))

/** A seed as an Ed25519 key: the fixed head of its PKCS #8 form (RFC 8410), then its 32 bytes. */
const privateKey = (seed: Buffer): KeyObject =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
    format: 'der',
    type: 'pkcs8',
  })

export interface Checkpointer {
  db: Database
  keyring: Keyring
  checkpoints: CheckpointStore
  log: Logger
}

/**
 * Answers a function that writes a checkpoint for every org whose chain has grown. A chain that is no longer what its
 * last checkpoint says gets none: that would vouch for what somebody changed.
 */
export function makeCheckpointer({ db, keyring, checkpoints, log }: Checkpointer): () => Promise<number> {
  const last = new Map<string, Pick<Checkpoint, 'seq' | 'hash'>>()
  const told = new Set<string>()
  return async () => {
    let written = 0
    for (const { org_id, seq, hash } of await listAuditHeads(db.system)) {
      if (last.get(org_id)?.seq === seq && last.get(org_id)?.hash === hash) continue
      const before = last.get(org_id) ?? (await checkpoints.read(org_id)).at(-1)
      if (before && (seq < before.seq || (seq === before.seq && hash !== before.hash))) {
        if (!told.has(org_id))
          log.error({ org_id, seq, checkpoint: before.seq }, 'an audit chain lost events; see audit.verify')
        told.add(org_id)
        continue
      }
      if (before?.seq !== seq) {
        await checkpoints.add(signCheckpoint(keyring, { org_id, seq, hash }))
        written++
      }
      last.set(org_id, { seq, hash })
    }
    return written
  }
}
