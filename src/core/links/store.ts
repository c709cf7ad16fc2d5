import type { Queries } from '../context.ts'

/** Uses a link up; false where it was used before. Commits with what it is used for. */
export async function spendLink(db: Queries, link: { id: string; orgId: string; expiresAt: Date }): Promise<boolean> {
  const rows = await db.query(
    'insert into link_uses (id, org_id, expires_at) values ($1, $2, $3) on conflict do nothing returning id',
    [link.id, link.orgId, link.expiresAt],
  )
  return rows.length > 0
}

/** A link that has run out needs no record that it was used. */
export async function forgetLinks(system: Queries): Promise<void> {
  await system.query(`delete from link_uses where expires_at < now() - interval '1 day'`)
}
