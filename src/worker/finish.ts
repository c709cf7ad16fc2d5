import type { Logger } from 'pino'
import { type Artifact, insertArtifacts, sumArtifacts } from '../core/blobs/index.ts'
import type { TenantDatabase } from '../core/context.ts'
import {
  type Diagnosis,
  diagnose,
  documentsOf,
  failureSignature,
  leaseStore,
  type RunEvent,
  type RunStatus,
  runStore,
} from '../core/runs/index.ts'
import type { StepPlan } from '../core/scenarios/index.ts'
import type { ArtifactShelf } from './artifacts.ts'
import type { AttemptResult } from './attempt.ts'
import { LeaseLost, type Recorder } from './recorder.ts'

export interface Ending {
  db: TenantDatabase
  run: { id: string; orgId: string; lease: string }
  claimed: leaseStore.ClaimedRun
  recorder: Recorder
  shelf: ArtifactShelf
  log: Logger
  result: AttemptResult
  status?: RunStatus
  flaky?: boolean
  plan?: StepPlan
}

/** Stores what the run leaves behind and commits its verdict, its last event and its manifest together. */
export async function finishRun(ending: Ending): Promise<void> {
  const { db, run, claimed, recorder, shelf, result } = ending
  const status = ending.status ?? result.status
  const { failure, steps } = result
  const found = failure?.step
    ? diagnose(failure, steps, result.events)
    : failure
      ? { summary: failure.message, evidence: [] }
      : null
  const signature = failure && found && failure.kind !== 'cancelled' ? failureSignature(failure, found) : null
  const now = recorder.now()
  const duration = now - (recorder.events()[0]?.ts ?? now)
  const end = recorder.end({
    kind: 'run.end',
    status,
    duration_ms: duration,
    ...(failure && { message: failure.message }),
    ...(ending.flaky && { flaky: true }),
  })
  const [rest] = await Promise.all([recorder.take(), putDocuments(ending, status, found, signature, duration)])
  const last = [end]
  const { stored, missing } = await shelf.settle()
  if (missing.length > 0) last.unshift(tellMissing(end, missing))
  const verdict = { status, steps, failure, diagnosis: found, signature, flaky: ending.flaky ?? false }
  try {
    await db.tx(async (tx) => {
      // Sent together, answered in order: PostgreSQL need not wait for us between them.
      const [held, ended] = await Promise.all([
        leaseStore.insertEvents(tx, run, [...rest, ...last]),
        leaseStore.endRun(tx, run, verdict),
        insertArtifacts(tx, run.orgId, claimed.trace_id, latestByName(stored)).then(() =>
          sumArtifacts(tx, claimed.trace_id),
        ),
      ])
      if (!held || !ended) throw new LeaseLost()
    })
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error
    ending.log.warn({ run_id: run.id }, 'the verdict was not taken: another worker has the run')
  }
}

/** A full disk costs artifacts, not the run: the trace says which. The warning goes before `end`, whose number it takes. */
function tellMissing(end: RunEvent, missing: readonly string[]): RunEvent {
  const message = `Not stored: ${missing.slice(0, 20).join('; ')}${missing.length > 20 ? '; …' : ''}`
  const { seq, ts, attempt } = end
  end.seq++
  return { seq, ts, attempt, kind: 'log', step_id: null, level: 'error', about: 'artifacts', message, missing }
}

/** A retry takes the pictures of the attempt before it out of the manifest. */
function latestByName(artifacts: readonly Artifact[]): Artifact[] {
  return [...new Map(artifacts.map((artifact) => [`${artifact.kind} ${artifact.name}`, artifact])).values()]
}

async function putDocuments(
  ending: Ending,
  status: RunStatus,
  diagnosis: Diagnosis | null,
  signature: string | null,
  duration: number,
): Promise<void> {
  const { db, run, claimed, recorder, shelf, result } = ending
  const events = await allEvents(db, run.id, recorder.events())
  const facts = {
    id: run.id,
    slug: claimed.slug,
    title: ending.plan?.scenario.title ?? claimed.slug,
    status,
    attempt: result.events.at(-1)?.attempt ?? claimed.attempt,
    flaky: ending.flaky ?? false,
    base_url: claimed.base_url,
    trace_id: claimed.trace_id,
    step_count: ending.plan?.steps.length ?? 0,
    duration_ms: duration,
    failure_signature: signature,
    failure: result.failure,
    diagnosis,
    steps: result.steps,
  }
  for (const { bytes, kind, name, media_type } of documentsOf(facts, events))
    shelf.put(bytes, { kind, name, mediaType: media_type })
}

/** The whole run's: this attempt's from memory, where they all are, and what came before it from the database. */
async function allEvents(db: TenantDatabase, runId: string, current: readonly RunEvent[]): Promise<RunEvent[]> {
  const first = current[0]?.seq ?? Number.POSITIVE_INFINITY
  const all: RunEvent[] = []
  while ((all.at(-1)?.seq ?? 0) < first - 1) {
    const batch = await runStore.readEvents(db, runId, all.at(-1)?.seq ?? 0, 1000)
    all.push(...batch.filter((event) => event.seq < first))
    if (batch.length < 1000) break
  }
  return [...all, ...current]
}
