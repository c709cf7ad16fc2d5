import type { Queries } from '../context.ts'
import type { Scope } from '../principal.ts'
import type { Key } from './key.ts'

/** When somebody is told that a credential runs out. */
export const soonDays = 7
export const expiresSoon = `coalesce(expires_at > now() and expires_at < now() + interval '${soonDays} days', false) as expires_soon`
const columns = `id, name, prefix, scopes, created_at, expires_at, ${expiresSoon}, last_used_at, revoked_at`

export interface NewKey {
  id: string
  kind: 'local_owner' | 'api_key' | 'pat' | 'svc'
  orgId: string
  name: string
  prefix: string
  fingerprint: Buffer
  scopes: readonly Scope[]
  role: string
  userId: string | null
  expiresAt: string | null
}

/** The new key; undefined where this very plaintext is already known (two first starts at once). */
export async function insertKey(db: Queries, key: NewKey): Promise<Key | undefined> {
  const [row] = await db.query<Key>(
    `insert into credentials (id, org_id, kind, name, prefix, fingerprint, scopes, role, user_id, expires_at)
     values ($1, $2, $10, $3, $4, $5, $6, $7, $8, $9)
     on conflict (fingerprint) do nothing returning ${columns}`,
    [
      key.id,
      key.orgId,
      key.name,
      key.prefix,
      key.fingerprint,
      key.scopes,
      key.role,
      key.userId,
      key.expiresAt,
      key.kind,
    ],
  )
  return row
}

export async function listKeys(
  db: Queries,
  after: { created_at: string; id: string } | undefined,
  limit: number,
): Promise<Key[]> {
  return db.query<Key>(
    `select ${columns} from credentials
     where kind in ('local_owner', 'api_key') and ($1::timestamptz is null or (created_at, id) < ($1, $2::uuid))
     order by created_at desc, id desc limit $3`,
    [after?.created_at ?? null, after?.id ?? null, limit],
  )
}

/** The key as it is now, revoked; undefined where there is none. Revoking again changes nothing. */
export async function revokeKey(db: Queries, id: string): Promise<Key | undefined> {
  const [row] = await db.query<Key>(
    `update credentials set revoked_at = coalesce(revoked_at, now()) where id = $1 and kind in ('local_owner', 'api_key') returning ${columns}`,
    [id],
  )
  return row
}

export interface Expiring {
  id: string
  name: string
  prefix: string
  expires_at: Date
  org_id: string
  org_name: string
  /** Of who can renew it: whose it is, else the owner who came first. */
  email: string
}

/** Credentials of which nobody was told yet that they run out; they count as told from here on. */
export async function claimExpiring(tx: Queries): Promise<Expiring[]> {
  return tx.query<Expiring>(
    `with told as (
       update credentials set expiry_told_at = now() where id in (
         select id from credentials
         where kind in ('api_key', 'pat', 'svc') and revoked_at is null and expiry_told_at is null
           and expires_at > now() and expires_at < now() + interval '${soonDays} days'
           and expires_at - created_at > interval '${soonDays} days'
         limit 100 for update skip locked)
       returning id, name, prefix, expires_at, org_id, user_id)
     select t.id, t.name, t.prefix, t.expires_at, t.org_id, o.name as org_name, p.email
     from told t join orgs o on o.id = t.org_id join lateral (
       select u.email from members m join users u on u.id = m.user_id
       where m.org_id = t.org_id and (m.user_id = t.user_id or m.role = 'owner')
       order by m.user_id = t.user_id desc nulls last, m.created_at limit 1) p on true`,
  )
}
