import type { Queries } from '../context.ts'

/** What a worker needs to outline a page: a scenario that leads there, whose secrets are kept sealed. */
export interface OutlineRequest {
  source: string
  viewport: string
}

export interface OutlineAnswer {
  url: string
  title: string
  page_status: number | null
  outline: string
  targets: number
  truncated: boolean
}

export interface OutlineRow {
  id: string
  org_id: string
  status: 'queued' | 'done' | 'failed'
  request: OutlineRequest
  secrets: Buffer | null
  answer: OutlineAnswer | null
  problem: string | null
}

/** Queued; those of the org that nobody will ask for any more go. */
export async function insertOutline(
  tx: Queries,
  outline: Pick<OutlineRow, 'id' | 'org_id' | 'request' | 'secrets'>,
): Promise<void> {
  await tx.query(`delete from outlines where created_at < now() - interval '1 hour'`)
  await tx.query(`insert into outlines (id, org_id, status, request, secrets) values ($1, $2, 'queued', $3, $4)`, [
    outline.id,
    outline.org_id,
    JSON.stringify(outline.request),
    outline.secrets,
  ])
}

export async function findOutline(db: Queries, id: string): Promise<OutlineRow | undefined> {
  const [row] = await db.query<OutlineRow>(
    'select id, org_id, status, request, secrets, answer, problem from outlines where id = $1',
    [id],
  )
  return row
}

/** The answer, or what went wrong, or both: a page on which a step failed is outlined all the same. */
export async function endOutline(
  db: Queries,
  id: string,
  end: { status: 'done' | 'failed'; answer: OutlineAnswer | null; problem: string | null },
): Promise<void> {
  await db.query(
    `update outlines set status = $2, answer = $3, problem = $4, finished_at = now(), secrets = null where id = $1 and status = 'queued'`,
    [id, end.status, end.answer && JSON.stringify(end.answer), end.problem],
  )
}
