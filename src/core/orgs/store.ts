import type { Queries } from '../context.ts'
import type { Role } from '../principal.ts'

export interface OrgRow {
  id: string
  slug: string
  name: string
  plan: string
  status: 'pending' | 'awaiting_payment' | 'provisioning' | 'running' | 'failed' | 'deleting'
  role: Role
  created_at: Date
  updated_at: Date
  credits_balance: number
  overage_used_credits: number
  overage_cap_credits: number
}

const columns = `o.id, o.slug, o.name, o.plan, o.status, o.created_at, o.updated_at, o.credits_balance::float8 as credits_balance,
  o.overage_used_credits::float8 as overage_used_credits, o.overage_cap_credits::float8 as overage_cap_credits`

/** Makes the org with the person of this transaction as its owner, who may own at most `most` (null: any number). */
export async function insertOrg(
  db: Queries,
  org: { id: string; slug: string; name: string; plan: string; status: string; most: number | null },
): Promise<'ok' | 'quota' | 'taken'> {
  const [row] = await db.query<{ outcome: 'ok' | 'quota' | 'taken' }>(
    'select app.create_org($1, $2, $3, $4, $5, $6) as outcome',
    [org.id, org.slug, org.name, org.plan, org.status, org.most],
  )
  return row!.outcome
}

/** The orgs of a person, as that person sees them, newest first. */
export async function findOrgs(
  db: Queries,
  userId: string,
  after: { created_at: string; id: string } | undefined,
  limit: number,
): Promise<OrgRow[]> {
  return db.query<OrgRow>(
    `select ${columns}, m.role from members m join orgs o on o.id = m.org_id
     where m.user_id = $1 and ($2::timestamptz is null or (o.created_at, o.id) < ($2, $3::uuid))
     order by o.created_at desc, o.id desc limit $4`,
    [userId, after?.created_at ?? null, after?.id ?? null, limit],
  )
}

export async function findOrg(db: Queries, id: string): Promise<Omit<OrgRow, 'role'> | undefined> {
  const [row] = await db.query<OrgRow>(`select ${columns} from orgs o where o.id = $1`, [id])
  return row
}

export async function renameOrg(db: Queries, id: string, name: string): Promise<void> {
  await db.query('update orgs set name = $2, updated_at = now() where id = $1', [id, name])
}

/** What anybody may know of an org. */
export async function findInstance(
  db: Queries,
  org: string,
): Promise<{ id: string; slug: string; status: OrgRow['status'] } | undefined> {
  const [row] = await db.query<{ id: string; slug: string; status: OrgRow['status'] }>(
    'select id, slug, status from app.find_instance($1)',
    [org],
  )
  return row
}
