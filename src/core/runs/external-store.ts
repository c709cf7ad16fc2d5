import type { Queries } from '../context.ts'
import type { RunEvent, RunStatus, StepResult } from './run.ts'

/** A run that is reported from outside, as far as a report needs to know it. */
export interface ExternalRun {
  id: string
  org_id: string
  trace_id: string
  scenario_id: string
  scenario_version: number
  slug: string
  title: string
  executor: 'worker' | 'external'
  status: RunStatus
  attempt: number
  steps: StepResult[]
  step_count: number
  secrets: Buffer | null
  flaky: boolean
  base_url: string | null
  failure: unknown
  diagnosis: unknown
  failure_signature: string | null
  duration_ms: number | null
  /** Of what was reported: the run.end that is written here is not counted. */
  last_seq: number
  /** Milliseconds since 1970 of the first event. */
  first_ts: number | null
}

const columns = `r.id, r.org_id, t.id as trace_id, r.scenario_id, r.scenario_version, r.slug, r.title, r.executor, r.status, r.attempt,
  r.steps, r.step_count, r.secrets, r.flaky, r.base_url, r.failure, r.diagnosis, r.failure_signature, r.duration_ms,
  (select coalesce(max(seq), 0) from run_events e where e.run_id = r.id and e.kind <> 'run.end') as last_seq,
  (select ts from run_events e where e.run_id = r.id order by seq limit 1) as first_ts`

export async function findExternal(db: Queries, id: string): Promise<ExternalRun | undefined> {
  const [row] = await db.query<ExternalRun>(
    `select ${columns} from runs r join traces t on t.run_id = r.id where r.id = $1`,
    [id],
  )
  return row
}

/** The same, locked: reports of one run are taken one after the other. */
export async function lockExternal(tx: Queries, id: string): Promise<ExternalRun | undefined> {
  await tx.query('select 1 from runs where id = $1 for update', [id])
  return findExternal(tx, id)
}

/** A run that was inserted as queued is under way at once, and no worker's. */
export async function beginExternal(tx: Queries, id: string): Promise<void> {
  await tx.query(
    `update runs set executor = 'external', status = 'running', attempt = 1, started_at = now(), heard_at = now() where id = $1`,
    [id],
  )
  await tx.query(`update traces set status = 'running' where run_id = $1`, [id])
}

/** Events behind those that are there, and what they make of the run so far. */
export async function appendEvents(
  tx: Queries,
  run: { id: string; org_id: string },
  events: readonly RunEvent[],
  progress: { attempt: number; steps: readonly StepResult[] },
): Promise<void> {
  const rows = events.map(({ seq, ts, kind, step_id, attempt, ...data }) => ({ seq, ts, kind, step_id, attempt, data }))
  await tx.query(
    `insert into run_events (org_id, run_id, seq, attempt, ts, kind, step_id, data)
     select $1, $2, e.seq, e.attempt, e.ts, e.kind, e.step_id, e.data
     from jsonb_to_recordset($3::jsonb) as e(seq bigint, attempt int, ts bigint, kind text, step_id text, data jsonb)`,
    [run.org_id, run.id, JSON.stringify(rows)],
  )
  await tx.query('update runs set attempt = $2, steps = $3 where id = $1', [
    run.id,
    progress.attempt,
    JSON.stringify(progress.steps),
  ])
}

export async function heardOf(tx: Queries, id: string): Promise<void> {
  await tx.query('update runs set heard_at = now() where id = $1', [id])
}

/** How long it took where it was executed, which is not how long it took to report it. */
export async function setDuration(tx: Queries, id: string, durationMs: number): Promise<void> {
  await tx.query('update runs set duration_ms = $2 where id = $1', [id, durationMs])
  await tx.query('update traces set duration_ms = $2 where run_id = $1', [id, durationMs])
}

/** Runs of every org that were opened to be reported and of which nothing was heard for so long. */
export async function findSilent(system: Queries, seconds: number): Promise<{ id: string; org_id: string }[]> {
  return system.query<{ id: string; org_id: string }>(
    `select id, org_id from runs where executor = 'external' and status = 'running' and heard_at < now() - make_interval(secs => $1)
     order by heard_at limit 100`,
    [seconds],
  )
}

/** Locks the run where it is still silent; whoever reports meanwhile wins. */
export async function lockSilent(tx: Queries, id: string, seconds: number): Promise<boolean> {
  const rows = await tx.query(
    `select 1 from runs where id = $1 and status = 'running' and heard_at < now() - make_interval(secs => $2) for update`,
    [id, seconds],
  )
  return rows.length > 0
}
