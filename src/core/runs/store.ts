import type { Queries } from '../context.ts'
import { tailBatch } from './news.ts'
import type { Run, RunEvent, RunStatus } from './run.ts'

const columns = `r.id, r.scenario_id, r.slug, r.title, r.type, r.status, r.executor, r.attempt, r.flaky, r.base_url, r.region, r.repo, r.commit_sha,
  r.pr_number, r.data_row, r.step_count, r.failure, r.failure_signature, r.rerun_of, r.created_at, r.started_at, r.finished_at,
  r.duration_ms, jsonb_array_length(r.steps) as steps_done, t.id as trace_id`
const joined = 'runs r join traces t on t.run_id = r.id'

export type RunRow = Omit<Run, 'created_at'> & { created_at: Date }
export type RunDetail = RunRow & {
  steps: unknown[]
  diagnosis: unknown
  scenario_version: number
  variables: Record<string, string>
}

export interface NewRun {
  id: string
  orgId: string
  traceId: string
  shortId: string
  scenarioId: string
  scenarioVersion: number
  slug: string
  title: string
  type: string
  region: string
  baseUrl: string | null
  repo: string | null
  commitSha: string | null
  prNumber: number | null
  variables: Record<string, string>
  secrets: Buffer | null
  dataRow: number | null
  retries: number
  stepCount: number
  rerunOf: string | null
  createdBy: string
}

/** The run and its trace, queued. */
export async function insertRun(tx: Queries, run: NewRun): Promise<void> {
  await tx.query(
    `insert into runs (id, org_id, scenario_id, scenario_version, slug, title, type, status, region, base_url, repo, commit_sha,
       pr_number, variables, secrets, data_row, retries_left, step_count, rerun_of, created_by)
     values ($1, $2, $3, $4, $5, $6, $7, 'queued', $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
    [
      run.id,
      run.orgId,
      run.scenarioId,
      run.scenarioVersion,
      run.slug,
      run.title,
      run.type,
      run.region,
      run.baseUrl,
      run.repo,
      run.commitSha,
      run.prNumber,
      JSON.stringify(run.variables),
      run.secrets,
      run.dataRow,
      run.retries,
      run.stepCount,
      run.rerunOf,
      run.createdBy,
    ],
  )
  await tx.query(
    `insert into traces (id, org_id, run_id, short_id, scenario_id, scenario_title, status, source, code_sha)
     values ($1, $2, $3, $4, $5, $6, 'queued', $7, $8)`,
    [run.traceId, run.orgId, run.id, run.shortId, run.scenarioId, run.title, run.type, run.commitSha],
  )
}

export async function findRun(db: Queries, id: string): Promise<RunDetail | undefined> {
  const [row] = await db.query<RunDetail>(
    `select ${columns}, r.steps, r.diagnosis, r.scenario_version, r.variables from ${joined} where r.id = $1`,
    [id],
  )
  return row
}

export async function findRuns(db: Queries, ids: readonly string[]): Promise<RunDetail[]> {
  const rows = await db.query<RunDetail>(
    `select ${columns}, r.steps, r.diagnosis, r.scenario_version, r.variables from ${joined} where r.id = any($1::uuid[])`,
    [ids],
  )
  return ids.flatMap((id) => rows.find((row) => row.id === id) ?? [])
}

export interface RunFilter {
  type?: string | undefined
  status?: string | undefined
  scenario?: string | undefined
  repo?: string | undefined
}

/** Newest first. Each filter that is left out is left out of the statement, so that its index serves. */
export async function listRuns(
  db: Queries,
  filter: RunFilter,
  after: { created_at: string; id: string } | undefined,
  limit: number,
): Promise<RunRow[]> {
  const params: unknown[] = [limit]
  const where: string[] = []
  const add = (condition: (n: number) => string, ...values: unknown[]) => {
    where.push(condition(params.length + 1))
    params.push(...values)
  }
  if (filter.type !== undefined) add((n) => `r.type = $${n}`, filter.type)
  if (filter.status !== undefined) add((n) => `r.status = $${n}`, filter.status)
  if (filter.repo !== undefined) add((n) => `r.repo = $${n}`, filter.repo)
  if (filter.scenario !== undefined) {
    add(
      (n) => `r.scenario_id in (select s.id from scenarios s where s.id::text = $${n} or s.slug = $${n})`,
      filter.scenario,
    )
  }
  if (after) add((n) => `(r.created_at, r.id) < ($${n}::timestamptz, $${n + 1}::uuid)`, after.created_at, after.id)
  const condition = where.length > 0 ? `where ${where.join(' and ')}` : ''
  return db.query<RunRow>(
    `select ${columns} from ${joined} ${condition} order by r.created_at desc, r.id desc limit $1`,
    params,
  )
}

/** Events after `seq`, in order; only some kinds where they are named. */
export async function readEvents(
  db: Queries,
  runId: string,
  after: number,
  limit: number,
  kinds?: readonly string[],
): Promise<RunEvent[]> {
  const rows = await db.query<Omit<RunEvent, 'data'> & { data: object }>(
    `select seq, ts, kind, step_id, attempt, data from run_events
     where run_id = $1 and seq > $2 ${kinds ? 'and kind = any($4)' : ''} order by seq limit $3`,
    [runId, after, limit, ...(kinds ? [kinds] : [])],
  )
  return rows.map(({ data, ...event }) => ({ ...event, ...data }) as RunEvent)
}

/** The next events of many runs at once, each after its own cursor: for the process's one reader, across orgs. */
export async function readTails(
  system: Queries,
  cursors: readonly { runId: string; after: number }[],
): Promise<{ run_id: string; event: RunEvent }[]> {
  if (cursors.length === 0) return []
  const rows = await system.query<Omit<RunEvent, 'data'> & { run_id: string; data: object }>(
    `select e.run_id, e.seq, e.ts, e.kind, e.step_id, e.attempt, e.data
     from unnest($1::uuid[], $2::bigint[]) as c(run_id, after)
     cross join lateral (
       select * from run_events where run_events.run_id = c.run_id and seq > c.after order by seq limit $3) e`,
    [cursors.map(({ runId }) => runId), cursors.map(({ after }) => after), tailBatch],
  )
  return rows.map(({ run_id, data, ...event }) => ({ run_id, event: { ...event, ...data } as RunEvent }))
}

/** How far the run's events have come by now. */
export async function findPosition(db: Queries, runId: string): Promise<{ seq: number; ended: boolean }> {
  const [row] = await db.query<{ seq: number; ended: boolean }>(
    `select coalesce(max(seq), 0) as seq, coalesce(bool_or(kind = 'run.end'), false) as ended from run_events where run_id = $1`,
    [runId],
  )
  return { seq: Number(row?.seq ?? 0), ended: row?.ended === true }
}

/** A run that no worker holds ends here at once; one under way is told to stop. The status before, or undefined. */
export async function requestCancel(
  tx: Queries,
  id: string,
): Promise<{ status: RunStatus; executor: string } | undefined> {
  const [row] = await tx.query<{ status: RunStatus; executor: string }>(
    'select status, executor from runs where id = $1 for update',
    [id],
  )
  if (row?.status === 'running')
    await tx.query('update runs set cancel_requested_at = coalesce(cancel_requested_at, now()) where id = $1', [id])
  return row
}

/** Tells every process that follows these runs that there is news; sent when the transaction commits. */
export async function notifyRuns(tx: Queries, ids: readonly string[]): Promise<void> {
  for (let start = 0; start < ids.length; start += 150) {
    await tx.query(`select pg_notify('molar_runs', $1)`, [ids.slice(start, start + 150).join(',')])
  }
}
