import type { Queries } from '../context.ts'
import { expiresSoon } from '../keys/index.ts'
import type { Token } from './token.ts'

const columns = `id, kind, name, prefix, scopes, role, user_id, created_at, expires_at, ${expiresSoon}, last_used_at, revoked_at`

/** Whose tokens are meant: all of the org's, or those of one person. */
const whose = `kind in ('pat', 'svc') and ($1::uuid is null or user_id = $1 and kind = 'pat')`

export async function findTokens(
  db: Queries,
  userId: string | null,
  after: { created_at: string; id: string } | undefined,
  limit: number,
): Promise<Token[]> {
  return db.query<Token>(
    `select ${columns} from credentials
     where ${whose} and ($2::timestamptz is null or (created_at, id) < ($2, $3::uuid))
     order by created_at desc, id desc limit $4`,
    [userId, after?.created_at ?? null, after?.id ?? null, limit],
  )
}

export async function findToken(db: Queries, userId: string | null, id: string): Promise<Token | undefined> {
  const [row] = await db.query<Token>(`select ${columns} from credentials where ${whose} and id = $2`, [userId, id])
  return row
}

/** The token as it is now, revoked; undefined where there is none. Revoking again changes nothing. */
export async function revokeToken(db: Queries, userId: string | null, id: string): Promise<Token | undefined> {
  const [row] = await db.query<Token>(
    `update credentials set revoked_at = coalesce(revoked_at, now()) where ${whose} and id = $2 returning ${columns}`,
    [userId, id],
  )
  return row
}

/** From now on for as long again as it was made for; undefined where it is revoked, has run out or never will. */
export async function renewCredential(
  db: Queries,
  userId: string | null,
  id: string,
): Promise<{ id: string; name: string; expires_at: Date } | undefined> {
  const [row] = await db.query<{ id: string; name: string; expires_at: Date }>(
    `update credentials set expires_at = now() + least(expires_at - created_at, interval '366 days'), expiry_told_at = null
     where id = $2 and kind in ('api_key', 'pat', 'svc') and ($1::uuid is null or user_id = $1 and kind = 'pat')
       and revoked_at is null and expires_at > now()
     returning id, name, expires_at`,
    [userId, id],
  )
  return row
}
