import type { Queries } from '../core/context.ts'
import type { Principal } from '../core/principal.ts'

/**
 * Who holds the credential with this fingerprint, unless it is revoked or has run out. Notes its use, at most once a
 * minute, in the same statement.
 */
export async function findPrincipal(system: Queries, fingerprint: Buffer): Promise<Principal | undefined> {
  const [row] = await system.query<PrincipalRow>(
    `with touched as (
       update credentials set last_used_at = now()
       where fingerprint = $1 and revoked_at is null and (last_used_at is null or last_used_at < now() - interval '1 minute')
     )
     select c.id, c.kind, c.name, c.role, c.scopes, c.expires_at, o.id as org_id, o.slug as org_slug, o.name as org_name,
            u.id as user_id, u.email as user_email, u.name as user_name
     from credentials c join orgs o on o.id = c.org_id left join users u on u.id = c.user_id
     where c.fingerprint = $1 and c.revoked_at is null and (c.expires_at is null or c.expires_at > now())`,
    [fingerprint],
  )
  if (!row) return undefined
  const { org_id, org_slug, org_name, user_id, user_email, user_name, ...principal } = row
  const user = user_id === null ? null : { id: user_id, email: user_email ?? '', name: user_name ?? '' }
  return { ...principal, org: { id: org_id, slug: org_slug, name: org_name }, user }
}

type PrincipalRow = Omit<Principal, 'org' | 'user'> & {
  org_id: string
  org_slug: string
  org_name: string
  user_id: string | null
  user_email: string | null
  user_name: string | null
}

/** Makes the first org with its owner, unless the org is there; answers the ids either way. */
export async function ensureOrg(
  system: Queries,
  org: { id: string; slug: string; name: string },
  user: { id: string; email: string; name: string },
) {
  await system.query('insert into orgs (id, slug, name) values ($1, $2, $3) on conflict (slug) do nothing', [
    org.id,
    org.slug,
    org.name,
  ])
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
