import type { Logger } from 'pino'
import type { BlobStore } from '../blobs/index.ts'
import type { Database, Queries } from '../context.ts'
import { CommandError, fail } from '../errors.ts'
import {
  endAccess,
  endUnclaimed,
  findPurged,
  noteFailure,
  noteStep,
  type Purge,
  type PurgeStep,
  purgeOwnRow,
  purgeRows,
  purgeSteps,
  resumePurges,
} from './purge-store.ts'

export interface PurgePlace {
  /** The ending org's own. */
  db: Queries
  blobs: BlobStore
  log: Logger
}

const batch = 5000

/** What each step takes away. Every one may run again, and at the same time as another process runs it. */
const work: Record<PurgeStep, (org: string, place: PurgePlace) => Promise<void>> = {
  access: (org, { db }) => endAccess(db, org),
  blobs: (org, { blobs }) => blobs.deleteAll(org),
  async rows(_org, { db }) {
    while ((await purgeRows(db, batch)) > 0);
    await purgeOwnRow(db)
  },
  // A worker that had something of the org in its hands may have stored bytes until its row was gone.
  late_blobs: (org, { blobs }) => blobs.deleteAll(org),
}

/** Takes away all that the org has, step by step, from where it stopped. Throws purge_failed, which says how to go on. */
export async function purgeOrg(purge: Purge, place: PurgePlace): Promise<void> {
  const done = purge.last_step === null ? 0 : purgeSteps.indexOf(purge.last_step) + 1
  for (const step of purgeSteps.slice(done)) {
    try {
      await work[step](purge.org_id, place)
      await noteStep(place.db, purge.id, step)
    } catch (error) {
      place.log.error({ err: error, purge: purge.id, step }, 'an org could not be purged; it is tried again')
      await noteFailure(place.db, purge.id, `${step}: ${(error as Error).message}`).catch(() => {})
      fail('purge_failed', 'Purge cascade failed; retry the request to resume.', {
        cause: error,
        details: { purge_id: purge.id, step },
      })
    }
  }
}

/** Goes on with purges that nobody goes on with, and looks once more for bytes of orgs that ended lately. */
export async function finishPurges(db: Database, blobs: BlobStore, log: Logger): Promise<number> {
  await endUnclaimed(db.system)
  const purges = await resumePurges(db.system)
  for (const purge of purges)
    await purgeOrg(purge, { db: db.tenant(purge.org_id), blobs, log }).catch((error: unknown) => {
      if (!(error instanceof CommandError)) throw error
    })
  for (const org of await findPurged(db.system)) await blobs.deleteAll(org)
  return purges.length
}
