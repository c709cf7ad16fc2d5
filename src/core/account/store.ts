import type { Queries } from '../context.ts'
import type { Account } from './account.ts'

/** The person as whom the statement runs. */
export async function findAccount(db: Queries): Promise<Account | undefined> {
  const [row] = await db.query<Account>(
    `select u.id, u.email, u.name, u.email_verified, u.two_factor_enabled as two_factor, w.has_password as password, w.providers,
       u.terms_accepted_at, u.created_at,
       coalesce((select json_agg(json_build_object('id', p.id, 'name', p.name, 'created_at', to_char(p.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by p.created_at)
                 from passkeys p), '[]') as passkeys
     from users u, app.sign_in_ways() w where u.id = app.current_user_id()`,
  )
  return row
}

export async function renameAccount(db: Queries, name: string): Promise<void> {
  await db.query('update users set name = $1, updated_at = now() where id = app.current_user_id()', [name])
}

/** Orgs that would have no owner without this person. */
export async function soleOwnerOf(db: Queries): Promise<string[]> {
  const rows = await db.query<{ slug: string }>('select slug from app.sole_owner_of() as slug')
  return rows.map(({ slug }) => slug)
}

/** Deletes the person; false, and nothing done, while an org would have no owner. */
export async function deleteAccount(db: Queries): Promise<boolean> {
  const [row] = await db.query<{ done: boolean }>('select app.delete_account() as done')
  return row!.done
}

export async function deletePasskey(db: Queries, id: string): Promise<boolean> {
  return (await db.query('delete from passkeys where id = $1 returning id', [id])).length === 1
}

export interface Membership {
  user_id: string
  email: string
  org_id: string | null
}

/** The person with the org that they chose last, else the only one that they have. */
export async function findSelf(db: Queries, sessionId: string): Promise<Membership | undefined> {
  const [row] = await db.query<Membership>(
    `select u.id as user_id, u.email,
       coalesce((select s.active_org_id from sessions s join members m on m.org_id = s.active_org_id where s.id = $1), (select min(m.org_id::text)::uuid from members m having count(*) = 1)) as org_id
     from users u where u.id = app.current_user_id()`,
    [sessionId],
  )
  return row
}

export async function isMember(db: Queries, org: string): Promise<boolean> {
  const rows = await db.query(
    'select 1 from orgs o join members m on m.org_id = o.id where o.slug = $1 and m.user_id = app.current_user_id()',
    [org],
  )
  return rows.length > 0
}
