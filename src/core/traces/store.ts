import type { Queries } from '../context.ts'
import type { RunEvent } from '../runs/index.ts'
import type { Trace } from './trace.ts'

const columns = `id, short_id, run_id, scenario_id, scenario_title, case status when 'errored' then 'error' else status end as status, source,
  tier, pinned, duration_ms, code_sha, failure_signature, created_at`

export interface TraceFilter {
  scenario_id?: string | undefined
  status?: string | undefined
  source?: string | undefined
  signature?: string | undefined
  tier?: string | undefined
  q?: string | undefined
  from?: string | undefined
  to?: string | undefined
}

const conditions: Record<keyof TraceFilter, (n: number) => string> = {
  scenario_id: (n) => `scenario_id = $${n}`,
  status: (n) => `status = $${n}`,
  source: (n) => `source = $${n}`,
  signature: (n) => `failure_signature = $${n}`,
  tier: (n) => `tier = $${n}`,
  q: (n) => `id in (select app.search_traces($${n}))`,
  from: (n) => `created_at >= $${n}::timestamptz`,
  to: (n) => `created_at < $${n}::timestamptz`,
}

/** Newest first. A filter that is left out is left out of the statement, so that its index serves. */
export async function listTraces(
  db: Queries,
  filter: TraceFilter,
  after: { created_at: string; id: string } | undefined,
  limit: number,
): Promise<Trace[]> {
  const params: unknown[] = [limit]
  const where: string[] = []
  for (const [key, condition] of Object.entries(conditions) as [keyof TraceFilter, (n: number) => string][]) {
    if (filter[key] === undefined) continue
    params.push(filter[key])
    where.push(condition(params.length))
  }
  if (after) {
    params.push(after.created_at, after.id)
    where.push(`(created_at, id) < ($${params.length - 1}::timestamptz, $${params.length}::uuid)`)
  }
  const condition = where.length > 0 ? `where ${where.join(' and ')}` : ''
  return db.query<Trace>(
    `select ${columns} from traces ${condition} order by created_at desc, id desc limit $1`,
    params,
  )
}

export type TraceDetail = Trace & { total_size_bytes: number; blob_count: number }

/** By id or short id. */
export async function findTrace(db: Queries, id: string): Promise<TraceDetail | undefined> {
  const [row] = await db.query<TraceDetail>(
    `select ${columns}, total_size_bytes, blob_count from traces where ${id.length === 9 ? 'short_id = $1' : 'id = $1::uuid'}`,
    [id],
  )
  return row
}

export async function setPinned(tx: Queries, id: string, pinned: boolean): Promise<void> {
  await tx.query('update traces set pinned = $2, pinned_by_hand = $2 where id = $1', [id, pinned])
}

export interface EventFilter {
  step?: string | undefined
  kind?: string | undefined
  limit: number
  offset: number
}

/** A slice of a run's events, by seq. `step` is a step_id or a step's number. */
export async function sliceEvents(
  db: Queries,
  runId: string,
  { step, kind, limit, offset }: EventFilter,
): Promise<RunEvent[]> {
  const rows = await db.query<Omit<RunEvent, 'data'> & { data: object }>(
    `select seq, ts, kind, step_id, attempt, data from run_events e
     where run_id = $1 and ($2::text is null or kind = $2) and ($3::text is null or step_id = $3 or step_id in (
       select s.step_id from run_events s where s.run_id = $1 and s.kind = 'step.start' and s.data->>'number' = $3))
     order by seq limit $4 offset $5`,
    [runId, kind ?? null, step ?? null, limit, offset],
  )
  return rows.map(({ data, ...event }) => ({ ...event, ...data }) as RunEvent)
}
