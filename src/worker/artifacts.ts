import { createHash } from 'node:crypto'
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

export function artifactShelf(blobs: BlobStore, orgId: string, log: Logger): ArtifactShelf {
  const under: Promise<{ artifact: Artifact; error?: unknown }>[] = []
  return {
    put(bytes, { kind, name, mediaType, stepId = null }) {
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      const artifact = { kind, name, sha256, media_type: mediaType, size: bytes.length, step_id: stepId }
      under.push(
        blobs.put(orgId, bytes).then(
          () => ({ artifact }),
          (error: unknown) => ({ artifact, error }),
        ),
      )
      return { sha256, size: bytes.length }
    },
    async settle() {
      const all = await Promise.all(under)
      const failed = all.filter((one) => one.error !== undefined)
      for (const { artifact, error } of failed)
        log.error({ err: error, name: artifact.name }, 'an artifact could not be stored')
      const reason = (error: unknown) =>
        (error as NodeJS.ErrnoException).code === 'ENOSPC' ? 'the disk is full' : 'it could not be written'
      return {
        stored: all.filter((one) => one.error === undefined).map((one) => one.artifact),
        missing: failed.map(({ artifact, error }) => `${artifact.kind} ${artifact.name}: ${reason(error)}`),
      }
    },
  }
}
