import type { Queries } from '../context.ts'
import type { Session } from './session.ts'

const columns = `id, id = $1 as current, nullif(ip_address, '') as ip_address, nullif(user_agent, '') as user_agent,
  created_at, updated_at as last_used_at, expires_at`

/** The person's sessions that have not ended, newest first. */
export async function listSessions(
  db: Queries,
  current: string,
  after: { created_at: string; id: string } | undefined,
  limit: number,
): Promise<Session[]> {
  return db.query<Session>(
    `select ${columns} from sessions
     where expires_at > now() and ($2::timestamptz is null or (created_at, id) < ($2, $3::uuid))
     order by created_at desc, id desc limit $4`,
    [current, after?.created_at ?? null, after?.id ?? null, limit],
  )
}

/** Ends a session of the person; undefined where they have none of that id. */
export async function endSession(db: Queries, current: string, id: string): Promise<Session | undefined> {
  const [row] = await db.query<Session>(`delete from sessions where id = $2 returning ${columns}`, [current, id])
  return row
}

/** Ends the person's sessions but this one; how many. */
export async function endOthers(db: Queries, current: string): Promise<number> {
  return (await db.query('delete from sessions where id <> $1 returning id', [current])).length
}

export interface ChosenOrg {
  id: string
  slug: string
  name: string
}

/** The org that the session works in from now on, by id or slug; undefined where the person is no member of it. */
export async function chooseOrg(db: Queries, current: string, org: string): Promise<ChosenOrg | undefined> {
  const [chosen] = await db.query<ChosenOrg>(
    `with mine as (
       select o.id, o.slug, o.name from orgs o join members m on m.org_id = o.id
       where m.user_id = app.current_user_id() and (o.id::text = $2 or o.slug = $2)
     ), moved as (update sessions set active_org_id = (select id from mine) where id = $1 and exists (select from mine))
     select * from mine`,
    [current, org],
  )
  return chosen
}
