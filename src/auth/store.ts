import type { Queries } from '../core/context.ts'
import type { Principal, Role } from '../core/principal.ts'

/** Who holds the credential with this fingerprint: see app.enter, which also notes its use. */
export async function findPrincipal(system: Queries, fingerprint: Buffer): Promise<Principal | undefined> {
  const [row] = await system.query<{ holder: string | null }>('select app.enter($1) as holder', [fingerprint])
  return readHolder(row!.holder)
}

/** What app.enter answers. */
export function readHolder(holder: string | null): Principal | undefined {
  if (holder === null) return undefined
  const { org_id, org_slug, org_name, user_id, user_email, user_name, id, kind, name, role, scopes, expires_at } =
    JSON.parse(holder) as HolderRow
  return {
    id,
    kind,
    name,
    role,
    scopes,
    org: { id: org_id, slug: org_slug, name: org_name },
    user: user_id === null ? null : { id: user_id, email: user_email ?? '', name: user_name ?? '' },
    expires_at: expires_at === null ? null : new Date(expires_at),
  }
}

type HolderRow = Omit<Principal, 'org' | 'user' | 'expires_at'> & {
  expires_at: string | null
  org_id: string
  org_slug: string
  org_name: string
  user_id: string | null
  user_email: string | null
  user_name: string | null
}

/** A session ends when it was not used for a week, and after a month at the latest. */
export const idleDays = 7
export const absoluteDays = 30
/** Changes that reach far take somebody who signed in within so many minutes. */
export const freshMinutes = 15
const sessionEnd = `least(now() + interval '${idleDays} days', created_at + interval '${absoluteDays} days')`

export interface SessionRow {
  session_id: string
  expires_at: Date
  user_id: string
  user_email: string
  user_name: string
  /** Whether they came in within the last minutes. */
  fresh: boolean
  /** Whether the org is the one that the person chose last; null where the session has none. */
  active: boolean | null
  org_id: string | null
  org_slug: string | null
  org_name: string | null
  role: Role | null
}

/**
 * The session with this fingerprint, once for each of at most two orgs that it could mean: those that `org` names, else
 * all of the person's, the one chosen last first. Notes its use and moves its end, at most once a minute, in the same
 * statement.
 */
export async function findSession(
  system: Queries,
  fingerprint: Buffer,
  org: string | undefined,
): Promise<SessionRow[]> {
  return system.query<SessionRow>(
    `with touched as (
       update sessions set updated_at = now(), expires_at = ${sessionEnd}
       where fingerprint = $1 and updated_at < now() - interval '1 minute' and expires_at > now()
     )
     select s.id as session_id, s.expires_at, u.id as user_id, u.email as user_email, u.name as user_name,
            s.created_at > now() - interval '${freshMinutes} minutes' as fresh,
            mine.id = s.active_org_id as active, mine.id as org_id, mine.slug as org_slug, mine.name as org_name, mine.role
     from sessions s join users u on u.id = s.user_id
       left join lateral (
         select o.id, o.slug, o.name, m.role from members m join orgs o on o.id = m.org_id
         where m.user_id = s.user_id and ($2::text is null or o.id::text = $2 or o.slug = $2)
         order by o.id = s.active_org_id desc nulls last, m.created_at limit 2
       ) mine on true
     where s.fingerprint = $1 and s.expires_at > now()
     order by mine.id = s.active_org_id desc nulls last`,
    [fingerprint, org ?? null],
  )
}

/**
 * Ends the session that a browser had before, whoever's it was; the one that it has now goes on in the org that was chosen
 * there, where it is of the same person.
 */
export async function replaceSession(system: Queries, before: Buffer, now: Buffer | undefined): Promise<void> {
  await system.query(
    `with gone as (delete from sessions where fingerprint = $1 returning user_id, active_org_id)
     update sessions s set active_org_id = gone.active_org_id from gone where s.fingerprint = $2 and s.user_id = gone.user_id`,
    [before, now ?? null],
  )
}

/** Any org but the installation's own, by id or slug. */
export async function findInternalOrg(system: Queries, org: string): Promise<Principal['org'] | undefined> {
  const [found] = await system.query<Principal['org']>(
    `select id, slug, name from orgs where (id::text = $1 or slug = $1) and slug <> '-'`,
    [org],
  )
  return found
}

/** The person as a member of the org of this id or slug, if they are one. */
export async function findMembership(
  system: Queries,
  userId: string,
  org: string,
): Promise<Pick<Principal, 'org' | 'user' | 'role'> | undefined> {
  const [found] = await system.query<Principal['org'] & { role: Role; email: string; user_name: string }>(
    `select o.id, o.slug, o.name, m.role, u.email, u.name as user_name
     from members m join orgs o on o.id = m.org_id join users u on u.id = m.user_id
     where m.user_id = $1 and (o.id::text = $2 or o.slug = $2)`,
    [userId, org],
  )
  if (!found) return undefined
  const { id, slug, name, role, email, user_name } = found
  return { org: { id, slug, name }, user: { id: userId, email, name: user_name }, role }
}

/** Makes the first org with its owner, unless the org is there; answers the ids either way. */
export async function ensureOrg(
  system: Queries,
  org: { id: string; slug: string; name: string },
  user: { id: string; email: string; name: string },
) {
  await system.query(
    `insert into orgs (id, slug, name, plan) values ($1, $2, $3, 'unlimited') on conflict (slug) do nothing`,
    [org.id, org.slug, org.name],
  )
  await system.query(
    'insert into users (id, email, name) values ($1, $2, $3) on conflict ((lower(email))) do nothing',
    [user.id, user.email, user.name],
  )
  const [ids] = await system.query<{ org_id: string; user_id: string }>(
    'select o.id as org_id, u.id as user_id from orgs o, users u where o.slug = $1 and lower(u.email) = lower($2)',
    [org.slug, user.email],
  )
  await system.query(`insert into members (org_id, user_id, role) values ($1, $2, 'owner') on conflict do nothing`, [
    ids!.org_id,
    ids!.user_id,
  ])
  return ids!
}
