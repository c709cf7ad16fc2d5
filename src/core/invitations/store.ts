import type { Queries } from '../context.ts'
import type { Role } from '../principal.ts'
import type { Invitation } from './invitation.ts'

const columns = `id, email, role, created_at, expires_at, case when accepted_at is not null then 'accepted'
  when revoked_at is not null then 'revoked' when expires_at <= now() then 'expired' else 'open' end as status`

export interface NewInvitation {
  id: string
  orgId: string
  email: string
  role: Role
  fingerprint: Buffer
  invitedBy: string | null
  days: number
}

/** The invitation, in the place of an open one for the same address. */
export async function insertInvitation(db: Queries, invitation: NewInvitation): Promise<Invitation> {
  await db.query(
    `update invitations set revoked_at = now()
     where org_id = $1 and lower(email) = lower($2) and accepted_at is null and revoked_at is null`,
    [invitation.orgId, invitation.email],
  )
  const [row] = await db.query<Invitation>(
    `insert into invitations (id, org_id, email, role, fingerprint, invited_by, expires_at)
     values ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 day') returning ${columns}`,
    [
      invitation.id,
      invitation.orgId,
      invitation.email,
      invitation.role,
      invitation.fingerprint,
      invitation.invitedBy,
      invitation.days,
    ],
  )
  return row!
}

export async function findInvitations(
  db: Queries,
  after: { created_at: string; id: string } | undefined,
  limit: number,
): Promise<Invitation[]> {
  return db.query<Invitation>(
    `select ${columns} from invitations where $1::timestamptz is null or (created_at, id) < ($1, $2::uuid)
     order by created_at desc, id desc limit $3`,
    [after?.created_at ?? null, after?.id ?? null, limit],
  )
}

/** The invitation as it is now, revoked unless it was accepted; undefined where there is none. */
export async function revokeInvitation(db: Queries, id: string): Promise<Invitation | undefined> {
  const [row] = await db.query<Invitation>(
    `update invitations set revoked_at = case when accepted_at is null then coalesce(revoked_at, now()) end
     where id = $1 returning ${columns}`,
    [id],
  )
  return row
}

export type Acceptance = 'joined' | 'member' | 'absent' | 'unverified' | 'another'

/** Accepts for the person of this transaction. */
export async function acceptInvitation(
  db: Queries,
  fingerprint: Buffer,
): Promise<{ outcome: Acceptance; org_id: string | null }> {
  const [row] = await db.query<{ outcome: Acceptance; org_id: string | null }>(
    'select outcome, org_id from app.accept_invitation($1)',
    [fingerprint],
  )
  return row!
}

export async function findJoined(
  db: Queries,
  orgId: string,
  userId: string,
): Promise<{ id: string; slug: string; name: string; role: Role }> {
  const [row] = await db.query<{ id: string; slug: string; name: string; role: Role }>(
    `select o.id, o.slug, o.name, m.role from members m join orgs o on o.id = m.org_id where o.id = $1 and m.user_id = $2`,
    [orgId, userId],
  )
  return row!
}
