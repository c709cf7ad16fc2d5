import type { Queries } from '../context.ts'

export const purgeSteps = ['access', 'blobs', 'rows', 'late_blobs'] as const
export type PurgeStep = (typeof purgeSteps)[number]

export interface Purge {
  id: string
  org_id: string
  org_slug: string
  /** The last step that is done; all before it are, too. */
  last_step: PurgeStep | null
}

/**
 * Begins the org's purge, or takes it up again where it stopped; undefined where it is under way. From here on the org
 * is ending.
 */
export async function beginPurge(
  tx: Queries,
  purge: { id: string; orgId: string; slug: string; startedBy: string | null },
): Promise<Purge | undefined> {
  const [row] = await tx.query<Purge>(
    `insert into org_purges as p (id, org_id, org_slug, status, started_by) values ($1, $2, $3, 'running', $4)
     on conflict (org_id) do update set status = 'running', attempts = p.attempts + 1, updated_at = now()
       where p.status <> 'running' or p.updated_at < now() - interval '1 minute'
     returning id, org_id, org_slug, last_step`,
    [purge.id, purge.orgId, purge.slug, purge.startedBy],
  )
  if (row) await tx.query(`update orgs set status = 'deleting', updated_at = now() where id = $1`, [purge.orgId])
  return row
}

/** Orgs that an agent opened and nobody confirmed within a day end by themselves. */
export async function endUnclaimed(system: Queries): Promise<void> {
  await system.query(
    `with ended as (
       update orgs set status = 'deleting' where status = 'pending' and created_at < now() - interval '1 day' returning id, slug)
     insert into org_purges (id, org_id, org_slug, status, updated_at)
       select gen_random_uuid(), id, slug, 'failed', now() - interval '1 hour' from ended`,
  )
}

/** Purges that failed or whose process died, each taken up by one caller alone. */
export async function resumePurges(system: Queries): Promise<Purge[]> {
  return system.query<Purge>(
    `update org_purges set status = 'running', attempts = attempts + 1, updated_at = now()
     where status <> 'completed' and updated_at < now() - interval '5 minutes' returning id, org_id, org_slug, last_step`,
  )
}

/** Orgs whose purge ended within the last two days: a worker that was cut off then may have stored bytes since. */
export async function findPurged(system: Queries): Promise<string[]> {
  const rows = await system.query<{ org_id: string }>(
    `select org_id from org_purges where completed_at > now() - interval '2 days'`,
  )
  return rows.map(({ org_id }) => org_id)
}

export async function noteStep(db: Queries, id: string, step: PurgeStep): Promise<void> {
  await db.query(
    `update org_purges set last_step = $2, last_error = null, updated_at = now(),
       status = case when $3 then 'completed' else status end, completed_at = case when $3 then now() end
     where id = $1`,
    [id, step, step === purgeSteps.at(-1)],
  )
}

export async function noteFailure(db: Queries, id: string, problem: string): Promise<void> {
  await db.query(
    `update org_purges set status = 'failed', last_error = left($2, 2000), updated_at = now() where id = $1`,
    [id, problem],
  )
}

/** Nobody's token is good in the org any longer, nothing waits to be run, and a worker that runs something loses it. */
export async function endAccess(tx: Queries, orgId: string): Promise<void> {
  await tx.query('update credentials set revoked_at = coalesce(revoked_at, now()) where org_id = $1 and kind <> $2', [
    orgId,
    'local_owner', // who may have to ask again
  ])
  await tx.query('delete from invitations where org_id = $1', [orgId])
  await tx.query(
    `update runs set status = 'aborted', lease = null, secrets = null, finished_at = now()
     where org_id = $1 and status in ('queued', 'running')`,
    [orgId],
  )
}

/** Deletes some rows of the org and says how many: 0 when only its own is left. */
export async function purgeRows(db: Queries, batch: number): Promise<number> {
  const [row] = await db.query<{ gone: number }>('select app.purge_rows($1)::float8 as gone', [batch])
  return row!.gone
}

/** Deletes the org itself. Throws when a table would still hold something of it. */
export async function purgeOwnRow(db: Queries): Promise<void> {
  await db.query('select app.purge_org()')
}
