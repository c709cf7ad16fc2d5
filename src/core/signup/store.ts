import type { Queries } from '../context.ts'

export interface NewSignup {
  orgId: string
  slug: string
  name: string
  keyId: string
  prefix: string
  fingerprint: Buffer
  scopes: readonly string[]
  email: string
  displayName: string
  note: string | null
  harness: string | null
  code: Buffer
  minutes: number
}

/** false where too many signups for this address wait already. */
export async function startSignup(db: Queries, one: NewSignup): Promise<boolean> {
  const [row] = await db.query<{ outcome: string }>(
    'select app.start_signup($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) as outcome',
    [
      one.orgId,
      one.slug,
      one.name,
      one.keyId,
      one.prefix,
      one.fingerprint,
      one.scopes,
      one.email,
      one.displayName,
      one.note,
      one.harness,
      one.code,
      one.minutes,
    ],
  )
  return row!.outcome === 'ok'
}

export interface Signup {
  claim_status: 'pending' | 'verified' | 'expired'
  email: string
  tries: number
  created_at: Date
  code_expires_at: Date
}

/** The signup that the current org came from; undefined where people made it. */
export async function findSignup(db: Queries): Promise<Signup | undefined> {
  const [row] = await db.query<Signup>(
    `select email, tries, created_at, code_expires_at, case when verified_at is not null then 'verified'
       when code_expires_at <= now() or tries >= 5 then 'expired' else 'pending' end as claim_status
     from agent_signups where org_id = app.current_org()`,
  )
  return row
}

/** Counts a try, before anything is known about it. */
export async function countTry(db: Queries): Promise<void> {
  await db.query('update agent_signups set tries = tries + 1 where org_id = app.current_org() and verified_at is null')
}

export async function claimSignup(
  db: Queries,
  claim: { code: Buffer; userId: string; plan: string; scopes: readonly string[] },
): Promise<'ok' | 'wrong' | 'unconfirmed'> {
  const [row] = await db.query<{ outcome: 'ok' | 'wrong' | 'unconfirmed' }>(
    'select app.claim_signup($1, $2, $3, $4) as outcome',
    [claim.code, claim.userId, claim.plan, claim.scopes],
  )
  return row!.outcome
}
