import { z } from 'zod'
import type { HandlerContext } from '../context.ts'
import { nullableTime } from '../fields.ts'
import { findAcceptance } from './store.ts'

export const acceptance = z.object({
  accepted: z.boolean(),
  version: z.string().nullable().describe('The version that counts now; null where there are no terms'),
  accepted_at: nullableTime,
})

/** Whether the caller accepted the terms that count now. Where there are none, and on one's own machine, they did. */
export async function readAcceptance(context: Pick<HandlerContext, 'db' | 'principal' | 'settings'>) {
  const { db, principal, settings } = context
  const { terms: version } = settings
  const row = await findAcceptance(db, principal.user!.id)
  const accepted = version === null || principal.kind === 'local_owner' || row?.terms_version === version
  return { accepted, version, accepted_at: row?.terms_accepted_at ?? null }
}
