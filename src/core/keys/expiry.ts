import type { Database, Mail, Queries } from '../context.ts'
import { claimExpiring, type Expiring } from './store.ts'

export interface ExpiryPlace {
  db: Database
  publicUrl: string | null
  /** Sends a mail when the transaction commits. */
  mail(orgId: string, message: Mail, tx: Queries): Promise<void>
}

/** Tells those who can renew it, once, of each token that will run out soon. Several servers may do so at once. */
export async function warnOfExpiry(place: ExpiryPlace): Promise<number> {
  return place.db.system.tx(async (tx) => {
    const expiring = await claimExpiring(tx)
    for (const one of expiring) await place.mail(one.org_id, expiryMail(one, place.publicUrl), tx)
    return expiring.length
  })
}

function expiryMail(one: Expiring, publicUrl: string | null): Mail {
  const lines = [
    `${one.name} (${one.prefix}…) of ${one.org_name} stops working on ${one.expires_at.toISOString().slice(0, 10)}.`,
    '',
    ...(publicUrl === null
      ? [`To go on using it: molar tokens renew ${one.id}`]
      : ['To go on using it for as long again:', `${publicUrl}/keys/renew?org=${one.org_id}&id=${one.id}`]),
    '',
    'Whoever does not need it any longer has nothing to do.',
  ]
  return { to: one.email, subject: `${one.name} is about to run out`, text: lines.join('\n') }
}
