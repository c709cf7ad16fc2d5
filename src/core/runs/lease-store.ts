import type { Queries } from '../context.ts'
import { type Failure, type RunEvent, type RunStatus, stepResult } from './run.ts'
import { storableJson } from './storable.ts'
import { findPosition } from './store.ts'

// The worker's side of a run: guarded by the lease, so that a worker which was given up for dead can't write.

export interface ClaimedRun {
  id: string
  org_id: string
  trace_id: string
  scenario_id: string
  scenario_version: number
  slug: string
  base_url: string
  variables: Record<string, string>
  secrets: Buffer | null
  data_row: number | null
  attempt: number
  retries_left: number
  created_at: Date
  last_seq: number
  cancelled: boolean
}

/** Takes the run for this lease, whoever held it before; undefined where it has ended. */
export async function claimRun(tx: Queries, id: string, lease: string): Promise<ClaimedRun | undefined> {
  const [row] = await tx.query<Omit<ClaimedRun, 'last_seq'>>(
    `update runs r set status = 'running', attempt = attempt + 1, lease = $2, started_at = coalesce(started_at, now()), steps = '[]'
     from traces t where t.run_id = r.id and r.id = $1 and r.status in ('queued', 'running')
     returning r.id, r.org_id, t.id as trace_id, r.scenario_id, r.scenario_version, r.slug, r.base_url, r.variables, r.secrets,
       r.data_row, r.attempt, r.retries_left, r.created_at, r.cancel_requested_at is not null as cancelled`,
    [id, lease],
  )
  if (!row) return undefined
  await tx.query(`update traces set status = 'running' where run_id = $1`, [id])
  // After the update, in a statement of its own: the one above may have waited for the last events of the worker before,
  // and would still not see them.
  return { ...row, last_seq: (await findPosition(tx, id)).seq }
}

/**
 * Writes events, only while the lease holds, puts the steps that have ended where readers of the run find them, and tells
 * of both: in one statement, for a run sends dozens. A batch whose commit was not heard of may be written again. False:
 * this worker has lost the run.
 */
export async function insertEvents(
  db: Queries,
  run: { id: string; orgId: string; lease: string },
  events: readonly RunEvent[],
): Promise<boolean> {
  const rows = events.map(({ seq, ts, kind, step_id, attempt, ...data }) => ({ seq, ts, kind, step_id, attempt, data }))
  const ended = events.flatMap((event) => (event.kind === 'step.end' ? (stepResult.safeParse(event).data ?? []) : []))
  const told = await db.query(
    `with held as (${ended.length > 0 ? holdAndAddSteps : hold}), written as (
       insert into run_events (org_id, run_id, seq, attempt, ts, kind, step_id, data)
       select $1, $2, e.seq, e.attempt, e.ts, e.kind, e.step_id, e.data
       from held, jsonb_to_recordset($4::jsonb) as e(seq bigint, attempt int, ts bigint, kind text, step_id text, data jsonb)
       on conflict do nothing)
     select pg_notify('molar_runs', $2::text) from held`,
    [run.orgId, run.id, run.lease, storableJson(rows), ...(ended.length > 0 ? [storableJson(ended)] : [])],
  )
  return told.length > 0
}

const hold = 'select id from runs where id = $2 and lease = $3 for share'
const holdAndAddSteps = `update runs set steps = steps || coalesce((
    select jsonb_agg(step order by (step->>'seq')::bigint) from jsonb_array_elements($5::jsonb) step
    where (step->>'seq')::bigint > coalesce((steps->-1->>'seq')::bigint, 0)), '[]')
  where id = $2 and lease = $3 returning id`

/** A retry in the same worker is a new attempt of the same run. */
export async function beginRetry(tx: Queries, run: { id: string; lease: string }): Promise<number | undefined> {
  const [row] = await tx.query<{ attempt: number }>(
    `update runs set attempt = attempt + 1, retries_left = retries_left - 1, steps = '[]' where id = $1 and lease = $2 and retries_left > 0
     returning attempt`,
    [run.id, run.lease],
  )
  return row?.attempt
}

export async function findCancelled(db: Queries, id: string, lease: string): Promise<'cancelled' | 'lost' | undefined> {
  const [row] = await db.query<{ cancelled: boolean; held: boolean }>(
    'select cancel_requested_at is not null as cancelled, lease = $2 as held from runs where id = $1',
    [id, lease],
  )
  return !row?.held ? 'lost' : row.cancelled ? 'cancelled' : undefined
}

export interface RunEnd {
  status: RunStatus
  /** Empty: those that were recorded as they ended. */
  steps: readonly unknown[]
  failure: Failure | null
  diagnosis: unknown
  signature: string | null
  flaky: boolean
}

/** The verdict, whatever was done to the database's clock meanwhile; the secrets given for the run are erased with it. False where the lease is lost or the run has ended. */
export async function endRun(tx: Queries, run: { id: string; lease: string | null }, end: RunEnd): Promise<boolean> {
  const rows = await tx.query(
    `update runs set status = $3, steps = coalesce($4::jsonb, steps), failure = $5, diagnosis = $6, failure_signature = $7, flaky = $8, finished_at = now(),
       started_at = coalesce(started_at, now()), secrets = null, lease = null,
       duration_ms = least(greatest(extract(epoch from now() - coalesce(started_at, now())) * 1000, 0), 2147483647)::int
     where id = $1 and lease is not distinct from $2 and status in ('queued', 'running') returning id`,
    [
      run.id,
      run.lease,
      end.status,
      end.steps.length > 0 ? storableJson(end.steps) : null,
      end.failure && storableJson(end.failure),
      end.diagnosis ? storableJson(end.diagnosis) : null,
      end.signature,
      end.flaky,
    ],
  )
  if (rows.length === 0) return false
  await tx.query(
    `update traces t set status = r.status, failure_signature = r.failure_signature, duration_ms = r.duration_ms,
       failure_message = coalesce(r.failure->>'message', ''), pinned = t.pinned_by_hand or r.status = 'failed'
     from runs r where r.id = t.run_id and r.id = $1`,
    [run.id],
  )
  return true
}

/** run.end of a run that no worker holds, after whatever events it has. */
export async function insertFinalEvent(tx: Queries, run: { id: string; orgId: string }, data: object): Promise<void> {
  await tx.query(
    `insert into run_events (org_id, run_id, seq, attempt, ts, kind, step_id, data)
     select $1, r.id, (select coalesce(max(seq), 0) + 1 from run_events where run_id = r.id), r.attempt, $3, 'run.end', null, $4
     from runs r where r.id = $2`,
    [run.orgId, run.id, Date.now(), storableJson(data)],
  )
}
