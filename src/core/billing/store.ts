import type { Queries } from '../context.ts'

/** The plan and status of the current org. */
export async function findPlan(db: Queries): Promise<{ plan: string; status: string }> {
  const [row] = await db.query<{ plan: string; status: string }>(
    'select plan, status from orgs where id = app.current_org()',
  )
  return row ?? { plan: 'free', status: 'running' }
}

/** Uses `count` more of what one UTC day gives; the sum with it. Held until the transaction ends, so it is exact. */
export async function useOfDay(tx: Queries, resource: string, count: number): Promise<number> {
  const [row] = await tx.query<{ used: number }>(
    `insert into usage_counters as c (org_id, resource, day, used) values (app.current_org(), $1, (now() at time zone 'utc')::date, $2)
     on conflict (org_id, resource, day) do update set used = c.used + excluded.used returning used::float8 as used`,
    [resource, count],
  )
  return row!.used
}

export async function findUsedToday(db: Queries, resource: string): Promise<number> {
  const [row] = await db.query<{ used: number }>(
    `select used::float8 as used from usage_counters
     where org_id = app.current_org() and resource = $1 and day = (now() at time zone 'utc')::date`,
    [resource],
  )
  return row?.used ?? 0
}

/** What each day of a month used, by resource, oldest first. `month`: any day in it. */
export async function findUsage(
  db: Queries,
  month: string,
): Promise<{ day: string; resource: string; used: number }[]> {
  return db.query<{ day: string; resource: string; used: number }>(
    `select to_char(day, 'YYYY-MM-DD') as day, resource, used::float8 as used from usage_counters
     where org_id = app.current_org() and day >= date_trunc('month', $1::date) and day < date_trunc('month', $1::date) + interval '1 month'
     order by day, resource`,
    [month],
  )
}

export interface UsageEvent {
  id: string
  org_id: string
  meter: string
  quantity: number
  properties: Record<string, unknown>
  at: Date
}

export async function insertUsage(tx: Queries, event: Omit<UsageEvent, 'at' | 'org_id'>): Promise<void> {
  await tx.query(
    'insert into usage_events (id, org_id, meter, quantity, properties) values ($1, app.current_org(), $2, $3, $4)',
    [event.id, event.meter, event.quantity, event.properties],
  )
}

/** Up to `most` events that wait, for this process alone until a minute from now. */
export async function claimUsage(system: Queries, most: number): Promise<UsageEvent[]> {
  return system.query<UsageEvent>(
    `update usage_events set claimed_until = now() + interval '1 minute', attempts = attempts + 1 where id in (
       select id from usage_events where delivered_at is null and refusal is null and (claimed_until is null or claimed_until < now())
       order by at limit $1 for update skip locked)
     returning id, org_id, meter, quantity::float8 as quantity, properties, at`,
    [most],
  )
}

export async function markDelivered(system: Queries, ids: readonly string[]): Promise<void> {
  await system.query('update usage_events set delivered_at = now(), claimed_until = null where id = any($1::uuid[])', [
    ids,
  ])
}

export async function markRefused(system: Queries, id: string, refusal: string): Promise<void> {
  await system.query('update usage_events set refusal = left($2, 500), claimed_until = null where id = $1', [
    id,
    refusal,
  ])
}

/** Back to those that wait: `seconds` from now they are tried again. */
export async function giveBackUsage(system: Queries, ids: readonly string[], seconds: number): Promise<void> {
  await system.query(
    `update usage_events set claimed_until = now() + $2 * interval '1 second' where id = any($1::uuid[])`,
    [ids, seconds],
  )
}

/** What was delivered a month ago is known to the billing service. */
export async function forgetUsage(system: Queries): Promise<void> {
  await system.query(`delete from usage_events where delivered_at < now() - interval '30 days'`)
}
