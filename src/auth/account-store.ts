import type { Queries } from '../core/context.ts'
import { type Keyring, unseal } from '../core/keyring.ts'
import { columnOf, type Model, modelOf, unknown } from './account-models.ts'
import { idleDays } from './store.ts'

// better-auth asks its questions in a small language of its own: a model, conditions on its fields, values. This file
// turns them into SQL over our tables. Tables and columns come from the one list in account-models.ts; all else is a parameter.

export type Row = Record<string, unknown>
export interface Condition {
  field: string
  value: unknown
  operator?: string | undefined
  connector?: 'AND' | 'OR' | undefined
}

/** The cookie may live on to the absolute limit; the session itself ends when it is not used. */
const idleMs = idleDays * 86_400_000

const operators: Record<string, string> = { eq: '=', ne: '<>', lt: '<', lte: '<=', gt: '>', gte: '>=' }

/** The statements of one call, as the system: signing in looks across orgs. */
export class AccountStore {
  readonly #db: Queries
  readonly #keyring: Keyring

  constructor(db: Queries, keyring: Keyring) {
    this.#db = db
    this.#keyring = keyring
  }

  async create(name: string, data: Row): Promise<Row> {
    const model = modelOf(name)
    if (model.name === 'session') data.expiresAt = new Date(Date.now() + idleMs)
    const fields = this.#kept(model, data)
    const [row] = await this.#db.query<Row>(
      `insert into ${model.table} (${fields.map((field) => columnOf(model, field)).join(', ')})
       values (${fields.map((_, index) => `$${index + 1}`).join(', ')}) returning *`,
      fields.map((field) => this.#stored(model, field, data[field])),
    )
    return await this.#read(model, row!, data.token)
  }

  async find(
    name: string,
    where: readonly Condition[],
    {
      sort,
      limit,
      offset,
    }: { sort?: { field: string; direction: 'asc' | 'desc' } | undefined; limit?: number; offset?: number } = {},
  ): Promise<Row[]> {
    const model = modelOf(name)
    const [clause, params] = this.#where(model, where)
    const rows = await this.#db.query<Row>(
      `select * from ${model.table} ${clause}
       ${sort ? `order by ${columnOf(model, sort.field)} ${sort.direction === 'desc' ? 'desc' : 'asc'}` : ''}
       limit ${Number(limit ?? 100)} offset ${Number(offset ?? 0)}`,
      params,
    )
    return Promise.all(rows.map((row) => this.#read(model, row, tokenIn(where))))
  }

  async count(name: string, where: readonly Condition[]): Promise<number> {
    const model = modelOf(name)
    const [clause, params] = this.#where(model, where)
    const [row] = await this.#db.query<{ count: number }>(
      `select count(*)::int as count from ${model.table} ${clause}`,
      params,
    )
    return row!.count
  }

  /** Adds to numbers and sets values where the conditions hold, in one statement; the rows as they are now. */
  async change(
    name: string,
    where: readonly Condition[],
    set: Row,
    increment: Record<string, number> = {},
  ): Promise<Row[]> {
    const model = modelOf(name)
    const fields = this.#kept(model, set)
    const [clause, params] = this.#where(model, where)
    const place = (value: unknown) => `$${params.push(value)}`
    const changes = [
      ...fields.map((field) => `${columnOf(model, field)} = ${place(this.#stored(model, field, set[field]))}`),
      ...Object.entries(increment).map(([field, by]) => {
        const column = columnOf(model, field)
        return `${column} = ${column} + ${place(by)}`
      }),
    ]
    if (changes.length === 0) return this.find(name, where)
    const rows = await this.#db.query<Row>(
      `update ${model.table} set ${changes.join(', ')} ${clause} returning *`,
      params,
    )
    return Promise.all(rows.map((row) => this.#read(model, row, tokenIn(where))))
  }

  /** Deletes what the conditions name, each row once, whoever else deletes it at the same time. */
  async remove(name: string, where: readonly Condition[]): Promise<Row[]> {
    const model = modelOf(name)
    const [clause, params] = this.#where(model, where)
    const rows = await this.#db.query<Row>(`delete from ${model.table} ${clause} returning *`, params)
    return Promise.all(rows.map((row) => this.#read(model, row, tokenIn(where))))
  }

  #kept(model: Model, data: Row): string[] {
    return Object.keys(data).filter((field) => field in model.columns && data[field] !== undefined)
  }

  #where(model: Model, where: readonly Condition[]): [string, unknown[]] {
    const params: unknown[] = []
    const place = (field: string, value: unknown) => `$${params.push(this.#stored(model, field, value))}`
    const tests = where.map(({ field, value, operator = 'eq' }) => {
      const column = columnOf(model, field)
      if (value === null) return `${column} is ${operator === 'ne' ? 'not ' : ''}null`
      if (operator === 'in' || operator === 'not_in') {
        const list = (value as unknown[]).map((one) => place(field, one))
        if (list.length === 0) return operator === 'in' ? 'false' : 'true'
        return `${column} ${operator === 'in' ? 'in' : 'not in'} (${list.join(', ')})`
      }
      if (isFactor(model, field))
        return `split_part(${column}, '.', 1) = $${params.push(this.#fingerprint(String(value)))}`
      // An address is one address however it is written; the index is on its lower case.
      if (column === 'email' && operator === 'eq') return `lower(${column}) = lower(${place(field, value)})`
      return `${column} ${operators[operator] ?? unknown(model, `${field} ${operator}`)} ${place(field, value)}`
    })
    const and = tests.filter((_, index) => where[index]!.connector !== 'OR')
    const or = tests.filter((_, index) => where[index]!.connector === 'OR')
    const all = [...and, ...(or.length > 0 ? [`(${or.join(' or ')})`] : [])]
    return [all.length > 0 ? `where ${all.join(' and ')}` : '', params]
  }

  #fingerprint = (value: string): string => this.#keyring.fingerprint(value).toString('base64url')

  /** Of a session's token only the HMAC is kept; what a verification and a second factor hold is sealed. */
  #stored(model: Model, field: string, value: unknown): unknown {
    if (value === null) return null
    if (model.name === 'session' && field === 'token') return this.#keyring.fingerprint(String(value))
    if (model.name === 'verification' && field === 'value') return this.#keyring.seal(String(value), 'verification')
    // Backup codes are looked for by what they were, so that each counts once: their HMAC stands before them.
    if (isFactor(model, field)) {
      const sealed = this.#keyring.seal(String(value), factorAbout).toString('base64')
      return `${this.#fingerprint(String(value))}.${sealed}`
    }
    return value
  }

  async #read(model: Model, row: Row, token: unknown): Promise<Row> {
    const entries = Object.entries(model.columns).map(([field, column]) => [field, row[column]] as const)
    const read: Row = Object.fromEntries(entries)
    if (model.name === 'session') read.token = token ?? ''
    if (model.name === 'verification') read.value = this.#keyring.open(row.value as Buffer, 'verification')
    for (const field of Object.keys(model.columns))
      if (isFactor(model, field)) read[field] = await unseal(this.#keyring, sealedIn(String(read[field])), factorAbout)
    if (model.name === 'passkey') read.counter = Number(row.counter)
    return read
  }
}

const isFactor = ({ name }: Model, field: string): boolean =>
  name === 'twoFactor' && (field === 'secret' || field === 'backupCodes')
const factorAbout = 'second factor'
const sealedIn = (stored: string): Buffer => Buffer.from(stored.slice(stored.indexOf('.') + 1), 'base64')

/** Seals the second factors of up to a hundred people, those after `after`, under this key where another one seals them. */
export async function resealFactors(
  tx: Queries,
  keyring: Keyring,
  newest: number,
  after: string | undefined,
): Promise<{ last: string | undefined; resealed: number }> {
  const rows = await tx.query<{ id: string; secret: string; backup_codes: string }>(
    'select id, secret, backup_codes from two_factors where $1::uuid is null or id > $1 order by id limit 100 for update',
    [after ?? null],
  )
  const anew = async (stored: string) => {
    const value = await unseal(keyring, sealedIn(stored), factorAbout)
    return stored.slice(0, stored.indexOf('.') + 1) + keyring.sealUnder(newest, value, factorAbout).toString('base64')
  }
  let resealed = 0
  for (const { id, secret, backup_codes } of rows) {
    if ([secret, backup_codes].every((stored) => sealedIn(stored)[0] === newest)) continue
    const changed = [id, await anew(secret), await anew(backup_codes)]
    await tx.query('update two_factors set secret = $2, backup_codes = $3 where id = $1', changed)
    resealed++
  }
  return { last: rows.at(-1)?.id, resealed }
}

/** The token that a session was asked for by: only who asks knows it. */
const tokenIn = (where: readonly Condition[]): unknown => where.find(({ field }) => field === 'token')?.value

/**
 * Takes one try of `most` in `seconds` from whoever `key` names: the seconds to wait when there is none left, else 0.
 * One number a key holds the whole state (GCRA), and one statement moves it, so that all servers count as one.
 */
export async function takeTry(system: Queries, key: string, most: number, seconds: number): Promise<number> {
  const [row] = await system.query<{ wait: number }>(
    `with spent as (
       insert into sign_in_limits as l (key, due) values ($1, now() + $3::float8 / $2 * interval '1 second')
       on conflict (key) do update set due = greatest(l.due, now()) + $3::float8 / $2 * interval '1 second'
         where greatest(l.due, now()) + $3::float8 / $2 * interval '1 second' <= now() + $3::float8 * interval '1 second'
       returning due
     )
     select case when exists (select from spent) then 0
       else ceil(extract(epoch from (select due from sign_in_limits where key = $1) + $3::float8 / $2 * interval '1 second' - now()) - $3)::int end as wait`,
    [key, most, seconds],
  )
  return row!.wait
}

/** Gives back what a success has shown not to be guessing. */
export async function forgetTries(system: Queries, key: string): Promise<void> {
  await system.query('delete from sign_in_limits where key = $1', [key])
}

export interface EndedOf {
  people: number
  sessions: number
  apps: number
  /** Addresses of those who had a second factor until now. */
  unfactored: string[]
}

/** Ends the sessions and apps of the person with this address, of everybody where there is none; also the second factor. */
export async function endAllOf(tx: Queries, email: string | undefined, factor: boolean): Promise<EndedOf> {
  const [ended] = await tx.query<EndedOf>(
    `with whose as (select id, email from users where $1::text is null or lower(email) = lower($1)),
          s as (delete from sessions where user_id in (select id from whose) returning 1),
          g as (delete from oauth_grants where user_id in (select id from whose) returning 1),
          f as (delete from two_factors where $2 and user_id in (select id from whose) returning user_id),
          u as (update users set two_factor_enabled = false, updated_at = now() where id in (select user_id from f) returning email)
     select (select count(*) from whose)::int as people, (select count(*) from s)::int as sessions,
       (select count(*) from g)::int as apps, array(select email from u) as unfactored`,
    [email ?? null, factor],
  )
  return ended!
}

/** Deletes what has run out: sessions, links and challenges, limits that are full again. */
export async function forgetExpired(system: Queries): Promise<void> {
  await system.query(
    `with a as (delete from sessions where expires_at < now()), b as (delete from verifications where expires_at < now())
     delete from sign_in_limits where due < now()`,
  )
}
