import type { Queries } from '../core/context.ts'

export interface Lease {
  /** Calls that were to be had: 0 to the number asked for. */
  granted: number
  /** Seconds that the allowance is ahead of its time now: a minute of them is all of it. */
  ahead: number
}

const minute = `interval '1 minute'`
/** Of those asked for, as many as fit into the minute ahead of the database's clock. */
const fitting = `greatest(0, least($3::int, floor(extract(epoch from now() + ${minute} - greatest(a.due, now())) / $4::float8 + 1e-6)::int))`

/** Takes up to `count` calls, `spacing` seconds apart, from the allowance of this key. */
export async function leaseRate(
  system: Queries,
  { key, orgId, count, spacing }: { key: string; orgId: string | null; count: number; spacing: number },
): Promise<Lease> {
  const [row] = await system.query<Lease>(
    `insert into rate_allowances as a (key, org_id, due, granted) values ($1, $2, now() + $3::int * $4::float8 * interval '1 second', $3::int)
     on conflict (key) do update set granted = ${fitting}, due = greatest(a.due, now()) + ${fitting} * $4::float8 * interval '1 second'
     returning granted, extract(epoch from due - now())::float8 as ahead`,
    [key, orgId, count, spacing],
  )
  return row!
}

/** Allowances that are whole again say nothing. */
export async function forgetRates(system: Queries): Promise<void> {
  await system.query(`delete from rate_allowances where due < now() - interval '5 minutes'`)
}
