import type { BlobStore, StoredBlob } from '../blobs/index.ts'
import type { Database, TenantDatabase } from '../context.ts'
import {
  dropArtifacts,
  findExpired,
  findKnown,
  findOrgs,
  forgetBlobs,
  forgetIdempotencyKeys,
  readClock,
  sumUsed,
  type TraceSize,
} from './store.ts'

export interface GarbageRules {
  /** Traces older than this lose their artifacts; never when absent. */
  retentionDays?: number | undefined
  /** What an org's blobs may take; unlimited when absent. */
  quotaBytes?: number | undefined
  /** Bytes that nothing names yet may be on their way into a trace for this long. Default 1 h. */
  graceMs?: number
}

/** What one collection took away, over all orgs. */
export interface Collected {
  traces: number
  blobs: number
  bytes: number
  idempotency_keys: number
  /** Orgs that are over their quota still: what they have is pinned by somebody, in use, or an asset. */
  over_quota: string[]
}

const batch = 500
const dayMs = 86_400_000

/** Keeps disk use within the rules: expired traces' artifacts, what is over the quota, blobs that nothing names, spent idempotency keys. May run at any time, and twice at once. */
export async function collectGarbage(db: Database, blobs: BlobStore, rules: GarbageRules): Promise<Collected> {
  const total: Collected = { traces: 0, blobs: 0, bytes: 0, idempotency_keys: 0, over_quota: [] }
  // A clock that was set forward, here or there, must not make everything old.
  const now = Math.min(Date.now(), await readClock(db.system))
  for (const orgId of await findOrgs(db.system)) {
    const org = db.tenant(orgId)
    if (rules.retentionDays !== undefined) total.traces += await expire(org, now - rules.retentionDays * dayMs)
    if (rules.quotaBytes !== undefined) {
      const { traces, over } = await shrink(org, rules.quotaBytes)
      total.traces += traces
      if (over) total.over_quota.push(orgId)
    }
    await sweep(org, orgId, blobs, new Date(now - (rules.graceMs ?? 3_600_000)), total)
    total.idempotency_keys += await forgetIdempotencyKeys(org)
  }
  return total
}

async function expire(org: TenantDatabase, before: number): Promise<number> {
  for (let count = 0; ; ) {
    const traces = await findExpired(org, new Date(before), batch)
    if (traces.length > 0) await drop(org, traces)
    count += traces.length
    if (traces.length < batch) return count
  }
}

/** Oldest traces first, those of failed runs last: they are pinned, but by nobody. Traces share blobs, so their sizes only say how many to try before adding up again. */
async function shrink(org: TenantDatabase, quota: number): Promise<{ traces: number; over: boolean }> {
  for (let count = 0; ; ) {
    let excess = (await sumUsed(org)) - quota
    if (excess <= 0) return { traces: count, over: false }
    const unpinned = await findExpired(org, new Date(), batch)
    const oldest = unpinned.length > 0 ? unpinned : await findExpired(org, new Date(), batch, 'pinned by itself')
    if (oldest.length === 0) return { traces: count, over: true }
    const chosen: TraceSize[] = []
    for (const trace of oldest) {
      if (excess <= 0) break
      chosen.push(trace)
      excess -= trace.size
    }
    await drop(org, chosen)
    count += chosen.length
  }
}

const drop = (org: TenantDatabase, traces: readonly TraceSize[]) =>
  org.tx((tx) =>
    dropArtifacts(
      tx,
      traces.map(({ id }) => id),
    ),
  )

async function sweep(
  org: TenantDatabase,
  orgId: string,
  blobs: BlobStore,
  before: Date,
  total: Collected,
): Promise<void> {
  const remove = async ({ sha256, size }: { sha256: string; size: number }) => {
    if (!(await blobs.delete(orgId, sha256, before))) return
    total.blobs++
    total.bytes += size
  }
  for (;;) {
    const forgotten = await forgetBlobs(org, before, batch)
    for (const blob of forgotten) await remove(blob)
    if (forgotten.length < batch) break
  }
  // A process that died between storing bytes and saying so leaves bytes that the database never heard of.
  let old: StoredBlob[] = []
  const removeUnknown = async () => {
    const known = await findKnown(
      org,
      old.map(({ sha256 }) => sha256),
    )
    for (const blob of old) if (!known.has(blob.sha256)) await remove(blob)
    old = []
  }
  for await (const blob of blobs.list(orgId)) {
    if (blob.storedAt < before && old.push(blob) >= batch) await removeUnknown()
  }
  if (old.length > 0) await removeUnknown()
}
