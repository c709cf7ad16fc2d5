import type { BlobStore } from '../blobs/index.ts'
import type { Database } from '../context.ts'
import { endUnheld } from './abort.ts'
import { storeDocuments } from './documents.ts'
import { findExternal, findSilent, lockSilent } from './external-store.ts'

/** Ends, as errored, the runs of every org whose external executor has not been heard of for so long. Answers their ids. */
export async function giveUpSilentRuns(
  { db, blobs }: { db: Database; blobs: BlobStore },
  seconds: number,
): Promise<string[]> {
  const given: string[] = []
  for (const { id, org_id: orgId } of await findSilent(db.system, seconds)) {
    const tenant = db.tenant(orgId)
    const message = `Nothing was heard of this run for ${seconds} s: its executor is given up.`
    const ended = await tenant.tx(
      async (tx) =>
        (await lockSilent(tx, id, seconds)) &&
        endUnheld(tx, { id, orgId }, 'errored', { kind: 'environment', message, step: null }),
    )
    if (!ended) continue
    given.push(id)
    await storeDocuments({ db: tenant, blobs }, (await findExternal(tenant, id))!)
  }
  return given
}
