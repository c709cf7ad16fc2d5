import type { Queries } from '../context.ts'
import type { Role } from '../principal.ts'
import type { Member } from './member.ts'

const select = `select m.user_id, u.email, u.name, m.role, m.created_at
  from members m join users u on u.id = m.user_id where m.org_id = app.current_org()`

export async function findMembers(
  db: Queries,
  after: { created_at: string; user_id: string } | undefined,
  limit: number,
): Promise<Member[]> {
  return db.query<Member>(
    `${select} and ($1::timestamptz is null or (m.created_at, m.user_id) > ($1, $2::uuid))
     order by m.created_at, m.user_id limit $3`,
    [after?.created_at ?? null, after?.user_id ?? null, limit],
  )
}

export async function findMember(db: Queries, userId: string): Promise<Member | undefined> {
  const [row] = await db.query<Member>(`${select} and m.user_id = $1`, [userId])
  return row
}

export async function findMemberByEmail(db: Queries, email: string): Promise<Member | undefined> {
  const [row] = await db.query<Member>(`${select} and lower(u.email) = lower($1)`, [email])
  return row
}

/** Locks the org's row until the transaction ends: who may own it is settled one at a time. */
export async function lockOrg(db: Queries): Promise<void> {
  await db.query('select from orgs where id = app.current_org() for no key update')
}

export async function countOwners(db: Queries): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    `select count(*)::int as count from members where org_id = app.current_org() and role = 'owner'`,
  )
  return row!.count
}

export async function setRole(db: Queries, userId: string, role: Role): Promise<void> {
  await db.query('update members set role = $2 where org_id = app.current_org() and user_id = $1', [userId, role])
}

/** Ends the membership, and with it the person's own tokens in this org. */
export async function deleteMember(db: Queries, userId: string): Promise<void> {
  await db.query('delete from members where org_id = app.current_org() and user_id = $1', [userId])
  await db.query(
    `update credentials set revoked_at = now()
     where org_id = app.current_org() and user_id = $1 and kind in ('pat', 'oauth') and revoked_at is null`,
    [userId],
  )
}
