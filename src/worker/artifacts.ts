import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Artifact, BlobStore } from '../core/blobs/index.ts'

/** Bytes of a run on their way into the blob store. A full disk costs the artifact, not the run. */
export interface ArtifactShelf {
  /** Begins to store the bytes; answers their hash and size at once. */
  put(
    bytes: Buffer,
    artifact: { kind: Artifact['kind']; name: string; mediaType: string; stepId?: string | null },
  ): { sha256: string; size: number }
  /** What was stored, once all is. `missing`: what was not, and why. */
  settle(): Promise<{ stored: Artifact[]; missing: string[] }>
}

/** A store that hangs holds a run's verdict up no longer than this, beyond what it was given while the run went on. */
const patienceMs = 30_000

export function artifactShelf(blobs: BlobStore, orgId: string, log: Logger, patience = patienceMs): ArtifactShelf {
  const under: { artifact: Artifact; failure: Promise<{ why: unknown } | undefined> }[] = []
  /** Steps that look the same share a picture. */
  const puts = new Map<string, Promise<unknown>>()
  return {
    put(bytes, { kind, name, mediaType, stepId = null }) {
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      const artifact = { kind, name, sha256, media_type: mediaType, size: bytes.length, step_id: stepId }
      const stored = puts.get(sha256) ?? blobs.put(orgId, bytes)
      puts.set(sha256, stored)
      under.push({
        artifact,
        failure: stored.then(
          () => undefined,
          (why: unknown) => ({ why }),
        ),
      })
      return { sha256, size: bytes.length }
    },
    async settle() {
      const done = new AbortController()
      const late = sleep(patience, { why: new TooLate() }, { signal: done.signal }).catch(() => undefined)
      const all = await Promise.all(
        under.map(async ({ artifact, failure }) => ({ artifact, failed: await Promise.race([failure, late]) })),
      )
      done.abort()
      const failed = all.filter((one) => one.failed !== undefined)
      for (const { artifact, failed: { why } = {} } of failed)
        log.error({ err: why, name: artifact.name }, 'an artifact could not be stored')
      return {
        stored: all.filter((one) => one.failed === undefined).map((one) => one.artifact),
        missing: failed.map(({ artifact, failed }) => `${artifact.kind} ${artifact.name}: ${inWords(failed?.why)}`),
      }
    },
  }
}

class TooLate extends Error {
  constructor() {
    super('the store did not take it in time')
  }
}

function inWords(why: unknown): string {
  if (why instanceof TooLate) return why.message
  return (why as NodeJS.ErrnoException).code === 'ENOSPC' ? 'the disk is full' : 'it could not be written'
}
