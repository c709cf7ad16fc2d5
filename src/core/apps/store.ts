import type { Queries } from '../context.ts'
import type { App } from './app.ts'

const columns = `g.id, g.client_name as name, g.redirect_host, json_build_object('id', o.id, 'slug', o.slug, 'name', o.name) as org,
  g.scopes, g.created_at, g.last_used_at`

/** Of the person whose eyes these are, newest first. */
export async function listApps(
  db: Queries,
  after: { created_at: string; id: string } | undefined,
  limit: number,
): Promise<App[]> {
  return db.query<App>(
    `select ${columns} from oauth_grants g join orgs o on o.id = g.org_id
     where $1::timestamptz is null or (g.created_at, g.id) < ($1, $2::uuid)
     order by g.created_at desc, g.id desc limit $3`,
    [after?.created_at ?? null, after?.id ?? null, limit],
  )
}

/** Ends it, with every token that hangs on it; what it was, or undefined where the person has none such. */
export async function deleteApp(db: Queries, id: string): Promise<App | undefined> {
  const [row] = await db.query<App>(
    `with g as (delete from oauth_grants where id = $1 returning *)
     select ${columns} from g join orgs o on o.id = g.org_id`,
    [id],
  )
  return row
}
