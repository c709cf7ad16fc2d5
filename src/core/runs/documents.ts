import { createHash } from 'node:crypto'
import { type Artifact, type BlobStore, findArtifacts, insertArtifact, sumArtifacts } from '../blobs/index.ts'
import type { Queries } from '../context.ts'
import type { ExternalRun } from './external-store.ts'
import { renderEvent } from './log-line.ts'
import { type Reported, renderReport } from './report.ts'
import type { RunEvent } from './run.ts'
import { readEvents } from './store.ts'

type Document = Pick<Artifact, 'kind' | 'name' | 'media_type'> & { bytes: Buffer }

/**
 * The documents of a run that was reported and has ended: its events as NDJSON, console, summary and report. After the
 * verdict has committed; where they are there already nothing is done, so a report that is sent again mends a gap.
 */
export async function storeDocuments(
  { db, blobs }: { db: Queries; blobs: BlobStore },
  run: ExternalRun,
): Promise<void> {
  const there = await findArtifacts(db, run.trace_id)
  if (there.some(({ kind }) => kind === 'summary')) return
  const events = await allEvents(db, run.id)
  const { org_id: _org, secrets: _secrets, executor: _executor, last_seq: _seq, first_ts: _ts, ...facts } = run
  for (const { bytes, ...document } of documentsOf(facts, events)) {
    await blobs.put(run.org_id, bytes)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    await insertArtifact(db, run.org_id, run.trace_id, { ...document, sha256, size: bytes.length, step_id: null })
  }
  await sumArtifacts(db, run.trace_id)
}

/** Events as NDJSON, console, report and summary. The summary comes last: that it is there says that all are. */
export function documentsOf(facts: Reported, events: readonly RunEvent[]): Document[] {
  const console = events.filter((event) => event.kind.startsWith('console.'))
  const summary = `${JSON.stringify({ ...facts, event_count: events.length }, null, 2)}\n`
  return [
    {
      kind: 'ndjson',
      name: 'events.ndjson',
      media_type: 'application/x-ndjson',
      bytes: lines(events, (event) => JSON.stringify(event)),
    },
    ...(console.length > 0
      ? [
          {
            kind: 'console' as const,
            name: 'console.log',
            media_type: 'text/plain',
            bytes: lines(console, renderEvent),
          },
        ]
      : []),
    { kind: 'report', name: 'report.md', media_type: 'text/markdown', bytes: Buffer.from(renderReport(facts)) },
    { kind: 'summary', name: 'summary.json', media_type: 'application/json', bytes: Buffer.from(summary) },
  ]
}

const lines = (events: readonly RunEvent[], line: (event: RunEvent) => string): Buffer =>
  Buffer.from(`${events.map(line).join('\n')}\n`)

/** Every event of a run, by seq. */
export async function allEvents(db: Queries, runId: string): Promise<RunEvent[]> {
  const all: RunEvent[] = []
  for (;;) {
    const batch = await readEvents(db, runId, all.at(-1)?.seq ?? 0, 1000)
    all.push(...batch)
    if (batch.length < 1000) return all
  }
}
