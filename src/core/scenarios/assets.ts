import { createHash } from 'node:crypto'
import { type BlobStore, insertBlob } from '../blobs/index.ts'
import type { Queries } from '../context.ts'
import type { PlanStep } from './plan.ts'
import { saveAsset } from './store.ts'

/** A file that a step uploads. */
export interface Asset {
  name: string
  media_type: string
  bytes: Buffer
}

/** Names of the files that a scenario's steps upload, as far as they stand in the text. */
export const assetNames = (steps: readonly PlanStep[]): string[] => [
  ...new Set(steps.flatMap((step) => (step.verb === 'upload' && typeof step.file === 'string' ? [step.file] : []))),
]

/** Before the transaction: bytes are stored by their hash, so storing them for nothing does no harm. */
export async function storeAssets(blobs: BlobStore, orgId: string, assets: readonly Asset[]): Promise<void> {
  for (const asset of assets) await blobs.put(orgId, asset.bytes)
}

/** In the transaction: these files are the scenario's. Those it had before, under other names, stay. */
export async function saveAssets(
  tx: Queries,
  orgId: string,
  scenarioId: string,
  assets: readonly Asset[],
): Promise<void> {
  for (const { name, media_type, bytes } of assets) {
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    await insertBlob(tx, orgId, { sha256, size: bytes.length, media_type })
    await saveAsset(tx, orgId, { scenarioId, name, sha256 })
  }
}
