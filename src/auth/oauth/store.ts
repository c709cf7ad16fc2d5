import type { Queries } from '../../core/context.ts'
import type { Principal, Scope } from '../../core/principal.ts'

// What the OAuth server remembers. All of it is read and written as the system: an app's request names no org.

export interface StoredRecord {
  payload: Buffer
  /** Seconds since it was used up; null while it is not. */
  consumed: number | null
}

export async function findRecord(db: Queries, model: string, fingerprint: Buffer): Promise<StoredRecord | undefined> {
  const [row] = await db.query<StoredRecord>(
    `select payload, extract(epoch from now() - consumed_at)::float8 as consumed from oauth_records where model = $1 and fingerprint = $2`,
    [model, fingerprint],
  )
  return row
}

/** By its second name; the fingerprint comes with it, since the seal is bound to that. */
export async function findRecordByAlias(
  db: Queries,
  model: string,
  alias: Buffer,
): Promise<(StoredRecord & { fingerprint: Buffer }) | undefined> {
  const [row] = await db.query<StoredRecord & { fingerprint: Buffer }>(
    `select fingerprint, payload, extract(epoch from now() - consumed_at)::float8 as consumed
     from oauth_records where model = $1 and alias = $2 order by expires_at desc limit 1`,
    [model, alias],
  )
  return row
}

export interface NewRecord {
  model: string
  fingerprint: Buffer
  payload: Buffer
  grantId: string | null
  alias: Buffer | null
  expiresIn: number
}

export async function saveRecord(db: Queries, one: NewRecord): Promise<void> {
  await db.query(
    `insert into oauth_records (model, fingerprint, payload, grant_id, alias, expires_at)
     values ($1, $2, $3, $4, $5, now() + $6 * interval '1 second')
     on conflict (model, fingerprint) do update set payload = excluded.payload, grant_id = excluded.grant_id,
       alias = excluded.alias, expires_at = excluded.expires_at`,
    [one.model, one.fingerprint, one.payload, one.grantId, one.alias, one.expiresIn],
  )
}

export async function deleteRecord(db: Queries, model: string, fingerprint: Buffer): Promise<void> {
  await db.query('delete from oauth_records where model = $1 and fingerprint = $2', [model, fingerprint])
}

/** Uses it up. False where somebody else has, at this moment or before. */
export async function consumeRecord(db: Queries, model: string, fingerprint: Buffer): Promise<boolean> {
  const rows = await db.query(
    `update oauth_records set consumed_at = now() where model = $1 and fingerprint = $2 and consumed_at is null returning 1 as done`,
    [model, fingerprint],
  )
  return rows.length > 0
}

/** What was to be done with it was not done. */
export async function releaseRecord(db: Queries, model: string, fingerprint: Buffer): Promise<void> {
  await db.query('update oauth_records set consumed_at = null where model = $1 and fingerprint = $2', [
    model,
    fingerprint,
  ])
}

export interface StoredClient {
  metadata: Buffer
}

/** Notes its use, at most once an hour, in the same statement. */
export async function findClient(db: Queries, id: string): Promise<StoredClient | undefined> {
  const [row] = await db.query<StoredClient>(
    `with touched as (
       update oauth_clients set last_used_at = now() where id = $1 and last_used_at < now() - interval '1 hour'
     )
     select metadata from oauth_clients where id = $1`,
    [id],
  )
  return row
}

export async function insertClient(db: Queries, id: string, metadata: Buffer): Promise<void> {
  await db.query('insert into oauth_clients (id, metadata) values ($1, $2)', [id, metadata])
}

/** Clients whose metadata another key than this one seals, a hundred at most. */
export async function lockStaleClients(tx: Queries, newest: number): Promise<{ id: string; metadata: Buffer }[]> {
  return tx.query(
    'select id, metadata from oauth_clients where get_byte(metadata, 0) <> $1 order by id limit 100 for update',
    [newest],
  )
}

export async function replaceMetadata(tx: Queries, id: string, metadata: Buffer): Promise<void> {
  await tx.query('update oauth_clients set metadata = $2 where id = $1', [id, metadata])
}

export interface NewGrant {
  id: string
  userId: string
  orgId: string
  clientId: string
  clientName: string
  redirectHost: string | null
  scopes: readonly Scope[]
}

/** False where the person does not belong to the org. */
export async function insertGrant(db: Queries, grant: NewGrant): Promise<boolean> {
  const rows = await db.query(
    `insert into oauth_grants (id, user_id, org_id, client_id, client_name, redirect_host, scopes)
     select $1, user_id, org_id, $4, $5, $6, $7 from members where user_id = $2 and org_id = $3 returning 1 as done`,
    [grant.id, grant.userId, grant.orgId, grant.clientId, grant.clientName, grant.redirectHost, grant.scopes],
  )
  return rows.length > 0
}

/** Whose a grant is: the app, the person that it acts for, and the org in which it does. */
export interface GrantHolder {
  /** The grant's. */
  id: string
  client_name: string
  org: Principal['org']
  user: NonNullable<Principal['user']>
}

const holderOf = (grant: string) => `select g.id, g.client_name,
    json_build_object('id', o.id, 'slug', o.slug, 'name', o.name) as org,
    json_build_object('id', u.id, 'email', u.email, 'name', u.name) as "user"
  from ${grant} g join orgs o on o.id = g.org_id join users u on u.id = g.user_id`

/** With it go its codes, its refresh tokens and its access tokens. Whose it was; undefined where it was gone already. */
export async function deleteGrant(db: Queries, id: string): Promise<GrantHolder | undefined> {
  const [holder] = await db.query<GrantHolder>(
    `with gone as (delete from oauth_grants where id = $1 returning *) ${holderOf('gone')}`,
    [id],
  )
  return holder
}

/** Whether the person still holds this grant; without a grant, whether there is such a person. */
export async function holdsGrant(db: Queries, userId: string, grantId: string | undefined): Promise<boolean> {
  const rows = grantId
    ? await db.query('select 1 as found from oauth_grants where id = $1 and user_id = $2', [grantId, userId])
    : await db.query('select 1 as found from users where id = $1', [userId])
  return rows.length > 0
}

export interface NewToken {
  id: string
  fingerprint: Buffer
  prefix: string
  grantId: string
  scopes: readonly string[]
  expiresIn: number
}

/** Undefined where the grant is gone. The role is the least: what counts is the person's own, at the time of use. */
export async function insertToken(db: Queries, token: NewToken): Promise<GrantHolder | undefined> {
  const [holder] = await db.query<GrantHolder>(
    `with used as (update oauth_grants set last_used_at = now() where id = $4 returning id, org_id, user_id, client_name),
     made as (
       insert into credentials (id, org_id, kind, name, prefix, fingerprint, scopes, role, user_id, expires_at, grant_id)
       select $1, org_id, 'oauth', client_name, $3, $2, $5, 'viewer', user_id, now() + $6 * interval '1 second', id from used
     )
     ${holderOf('used')}`,
    [token.id, token.fingerprint, token.prefix, token.grantId, token.scopes, token.expiresIn],
  )
  return holder
}

export interface StoredToken {
  grant_id: string
  client_id: string
  user_id: string
  scopes: string[]
  created_at: Date
  expires_at: Date
}

export async function findToken(db: Queries, fingerprint: Buffer): Promise<StoredToken | undefined> {
  const [row] = await db.query<StoredToken>(
    `select c.grant_id, g.client_id, g.user_id, c.scopes, c.created_at, c.expires_at
     from credentials c join oauth_grants g on g.id = c.grant_id where c.fingerprint = $1`,
    [fingerprint],
  )
  return row
}

export async function deleteToken(db: Queries, fingerprint: Buffer): Promise<void> {
  await db.query(`delete from credentials where fingerprint = $1 and kind = 'oauth'`, [fingerprint])
}

export interface Membership {
  id: string
  slug: string
  name: string
  role: string
  active: boolean
}

/** The orgs that a person may let an app act in; the one that their session is in first. */
export async function listMemberships(db: Queries, userId: string, sessionId: string): Promise<Membership[]> {
  return db.query<Membership>(
    `select o.id, o.slug, o.name, m.role, coalesce(o.id = (select active_org_id from sessions where id = $2), false) as active
     from members m join orgs o on o.id = m.org_id where m.user_id = $1 order by active desc, m.created_at`,
    [userId, sessionId],
  )
}

export interface Forgotten {
  records: number
  tokens: number
  grants: number
  clients: number
}

/** A client that nobody is connected with, and that nobody used for this many days, is forgotten. */
const idleDays = 7

/** Forgets what has run out, grants that nothing is left of, and clients that nobody uses. May run twice at once. */
export async function forget(db: Queries): Promise<Forgotten> {
  const [{ records, tokens } = { records: 0, tokens: 0 }] = await db.query<{ records: number; tokens: number }>(
    `with records as (delete from oauth_records where expires_at < now() - interval '1 day' returning 1),
          tokens as (delete from credentials where kind = 'oauth' and expires_at < now() - interval '1 day' returning 1)
     select (select count(*) from records)::int as records, (select count(*) from tokens)::int as tokens`,
  )
  const [{ grants, clients } = { grants: 0, clients: 0 }] = await db.query<{ grants: number; clients: number }>(
    `with grants as (
       delete from oauth_grants g where created_at < now() - interval '1 day'
         and not exists (select from oauth_records r where r.grant_id = g.id and r.model <> 'Grant')
         and not exists (select from credentials c where c.grant_id = g.id) returning 1),
     clients as (
       delete from oauth_clients c where last_used_at < now() - $1 * interval '1 day'
         and not exists (select from oauth_grants g where g.client_id = c.id) returning 1)
     select (select count(*) from grants)::int as grants, (select count(*) from clients)::int as clients`,
    [idleDays],
  )
  return { records, tokens, grants, clients }
}
