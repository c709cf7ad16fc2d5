import { createHash } from 'node:crypto'
import { z } from 'zod'
import { artifactKinds, findArtifacts, insertArtifact, sumArtifacts } from '../blobs/index.ts'
import { defineCommand } from '../command.ts'
import type { HandlerContext } from '../context.ts'
import { fail } from '../errors.ts'
import { blob, id } from '../fields.ts'
import { compiler, findVersion, type StepPlan } from '../scenarios/index.ts'
import { resolveSecrets } from '../secrets/index.ts'
import { diagnose } from './diagnosis.ts'
import { allEvents, storeDocuments } from './documents.ts'
import { exampleOpenRunId, exampleRunId } from './example.ts'
import { appendEvents, type ExternalRun, findExternal, heardOf, lockExternal, setDuration } from './external-store.ts'
import { noRun } from './get.ts'
import { endRun, insertFinalEvent } from './lease-store.ts'
import {
  failureOf,
  newEvents,
  type ReportedEvent,
  type ReportedVerdict,
  refuseOther,
  reportedEvent,
  reportedVerdict,
  stepsAfter,
} from './reported.ts'
import { type CheckedArtifact, checkArtifacts, declaredArtifact } from './reported-artifacts.ts'
import { isEnded, runStatuses } from './run.ts'
import { failureSignature } from './signature.ts'
import { notifyRuns, readEvents } from './store.ts'

const largestFile = 32 * 1024 * 1024

export const ingestRun = defineCommand({
  name: 'runs.ingest',
  tool: 'molar_ingest_run',
  toolset: { default: false },
  title: 'Report a run that is executed elsewhere',
  summary:
    'Bring events (numbered from 1), artifacts and at last the verdict of a run opened with molar_open_run, in as many reports as you like. A report may come again as it was; the answer says which event is expected next.',
  input: z.object({
    id,
    events: z.array(reportedEvent).max(2000).default([]),
    artifacts: z.array(declaredArtifact).max(50).default([]).describe('What each of `files` is'),
    files: z.array(blob(largestFile)).max(50).default([]).describe('The artifacts themselves'),
    verdict: reportedVerdict.optional().describe('Ends the run'),
  }),
  output: z.object({
    id,
    trace_id: id,
    status: z.enum(runStatuses),
    last_seq: z.int().describe('The last reported event that is stored'),
    expected_seq: z.int().nullable().describe('The event to go on with; null when the run has ended'),
    artifacts: z.array(z.object({ kind: z.enum(artifactKinds), name: z.string(), size: z.int(), sha256: z.string() })),
  }),
  rest: 'POST /v1/runs/{id}/ingest',
  access: { scope: 'mcp:run' },
  effect: 'write',
  rate: 'ingest',
  repeatable: true,
  errors: ['not_found', 'conflict', 'validation_failed', 'payload_too_large'],
  target: (input) => input.id,
  examples: [
    {
      title: 'the first events and the console',
      input: {
        id: exampleOpenRunId,
        events: [
          { seq: 1, ts: 1_760_000_000_000, kind: 'run.start' },
          { seq: 2, ts: 1_760_000_000_100, kind: 'step.end', number: 1, status: 'passed', duration_ms: 90 },
        ],
        artifacts: [
          {
            kind: 'console',
            name: 'page.log',
            size: 6,
            sha256: '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03',
          },
        ],
        files: [{ name: 'page.log', media_type: 'text/plain', base64: 'aGVsbG8K' }],
      },
      output: { id: exampleOpenRunId, status: 'running', last_seq: 2, expected_seq: 3 },
    },
    {
      title: 'events with a gap before them',
      input: { id: exampleOpenRunId, events: [{ seq: 9, ts: 1_760_000_000_000, kind: 'log' }] },
      error: 'conflict',
    },
    {
      title: 'a picture that is none',
      input: {
        id: exampleOpenRunId,
        artifacts: [
          {
            kind: 'screenshot',
            name: 'page.png',
            size: 6,
            sha256: '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03',
          },
        ],
        files: [{ name: 'page.png', media_type: 'image/png', base64: 'aGVsbG8K' }],
      },
      error: 'validation_failed',
    },
    {
      title: 'a run that a worker executed',
      input: { id: exampleRunId, verdict: { status: 'passed' } },
      error: 'conflict',
    },
    {
      title: 'a run that is not there',
      input: { id: '019301c0-cafe-7000-bea7-00000000dead', verdict: { status: 'passed' } },
      error: 'not_found',
    },
  ],
  /** Checks and scrubs, and stores the scrubbed bytes: a report that is refused leaves nothing but unnamed blobs. */
  async prepare(input, context) {
    const run = await findExternal(context.db, input.id)
    if (run?.executor !== 'external' || isEnded(run.status)) return
    const checked = checkArtifacts(input.artifacts, input.files)
    const scrubber = await context.scrubber(await secretsOf(run, context))
    input.events = input.events.map((event) => scrubEvent(event, scrubber.json))
    if (input.verdict?.failure) input.verdict.failure = scrubber.json(input.verdict.failure)
    input.files = []
    for (const one of checked) {
      const bytes = await scrubber
        .artifact(one.bytes, one.media_type)
        .catch((cause) => fail('validation_failed', `files: ${one.name} cannot be read as a ${one.kind}.`, { cause }))
      await context.blobs.put(run.org_id, bytes)
      input.files.push({ name: one.name, media_type: one.media_type, bytes: Buffer.from(bytes) })
    }
  },
  async handler(input, context) {
    const { db } = context
    const run = (await lockExternal(db, input.id)) ?? noRun(input.id)
    if (run.executor !== 'external')
      fail('conflict', `Run ${run.id} is a worker’s. Only runs opened with molar_open_run take reports.`)
    await refuseChanged(run, input.events, context)
    if (isEnded(run.status)) return answerEnded(run, input, context)
    const fresh = newEvents(input.events, run.last_seq)
    const plan = await planOf(run, context)
    const progress = stepsAfter(run, fresh, plan.steps)
    if (fresh.length > 0) await appendEvents(db, run, fresh, progress)
    const artifacts = input.artifacts.map((one) => ({ ...one, ...input.files.find(({ name }) => name === one.name)! }))
    await keepArtifacts(run, artifacts, context)
    await heardOf(db, run.id)
    const now = { ...run, ...progress, last_seq: fresh.at(-1)?.seq ?? run.last_seq }
    now.first_ts ??= fresh[0]?.ts ?? null
    if (input.verdict) await endReported(now, input.verdict, context)
    await notifyRuns(db, [run.id])
    return answerFor((await findExternal(db, run.id))!, context)
  },
  async follow(output, { id }, context) {
    if (!isEnded(output.status)) return output
    const run = (await findExternal(context.db, id))!
    await storeDocuments(context, run).catch((error) =>
      context.log.error({ err: error, run_id: id }, 'the documents of a reported run could not be stored'),
    )
    return answerFor(run, context)
  },
})

type Context = Pick<HandlerContext, 'db' | 'keyring' | 'localSecrets'>

/** What the caller declared when it opened the run, and what this machine knows for the scenario. */
async function secretsOf(run: ExternalRun, context: Context): Promise<Record<string, string>> {
  const { secrets: names } = await planOf(run, context)
  const sealed = run.secrets && context.keyring.open(run.secrets, `${run.org_id}|run-secrets|${run.id}`)
  const given = sealed ? (JSON.parse(sealed) as Record<string, string>) : {}
  return { ...(await resolveSecrets(names, { ...context, orgId: run.org_id, given })), ...given }
}

async function planOf(run: ExternalRun, { db }: Pick<Context, 'db'>): Promise<StepPlan> {
  const { compileScenario } = await compiler()
  const version = await findVersion(db, run.scenario_id, run.scenario_version)
  const result = version && compileScenario(version.content)
  if (!result?.ok) throw new Error(`The scenario ${run.slug} of run ${run.id} is not there or does not compile.`)
  return result.plan
}

/** What names the event is not text of a page: a redactor that knows the secret "log" must not make a kind of its own. */
function scrubEvent(event: ReportedEvent, scrub: <Value>(value: Value) => Value): ReportedEvent {
  const { seq, ts, kind, step_id, attempt, ...data } = event
  return { ...scrub(data), seq, ts, kind, step_id, attempt }
}

async function refuseChanged(run: ExternalRun, events: readonly ReportedEvent[], { db }: Pick<Context, 'db'>) {
  const again = events.filter(({ seq }) => seq <= run.last_seq)
  const first = again.reduce((least, { seq }) => Math.min(least, seq), run.last_seq)
  if (again.length > 0) refuseOther(again, await readEvents(db, run.id, first - 1, again.length))
}

async function keepArtifacts(
  run: ExternalRun,
  artifacts: readonly CheckedArtifact[],
  { db }: Pick<Context, 'db'>,
): Promise<void> {
  for (const { kind, name, media_type, bytes, step_id = null } of artifacts) {
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    await insertArtifact(db, run.org_id, run.trace_id, { kind, name, sha256, media_type, size: bytes.length, step_id })
  }
  if (artifacts.length > 0) await sumArtifacts(db, run.trace_id)
}

async function endReported(run: ExternalRun, verdict: ReportedVerdict, { db }: HandlerContext): Promise<void> {
  if (verdict.last_seq !== undefined && verdict.last_seq !== run.last_seq) {
    const expected_seq = run.last_seq + 1
    fail(
      'conflict',
      `verdict.last_seq: is ${verdict.last_seq}, but ${run.last_seq} is the last event that is there. Send from ${expected_seq} on.`,
      { details: { expected_seq, last_seq: run.last_seq } },
    )
  }
  const failure = failureOf(verdict, run.steps)
  const events = await allEvents(db, run.id)
  const found = failure?.step
    ? diagnose(failure, run.steps, events)
    : failure && { summary: failure.message, evidence: [] }
  const signature = failure && found && failure.kind !== 'cancelled' ? failureSignature(failure, found) : null
  const span = run.first_ts === null ? 0 : (events.at(-1)?.ts ?? run.first_ts) - run.first_ts
  const duration = verdict.duration_ms ?? Math.min(Math.max(0, span), 2_147_483_647)
  const { status, flaky } = verdict
  const end = { status, steps: run.steps, failure, diagnosis: found, signature, flaky: flaky && status === 'passed' }
  await endRun(db, { id: run.id, lease: null }, end)
  await setDuration(db, run.id, duration)
  await insertFinalEvent(
    db,
    { id: run.id, orgId: run.org_id },
    { status, duration_ms: duration, ...(failure && { message: failure.message }), ...(end.flaky && { flaky: true }) },
  )
}

/** A report that was taken before may come again; anything new comes too late. */
function answerEnded(
  run: ExternalRun,
  input: { events: readonly ReportedEvent[]; verdict?: ReportedVerdict | undefined },
  context: HandlerContext,
) {
  const late = input.events.find(({ seq }) => seq > run.last_seq)
  const other = input.verdict && input.verdict.status !== run.status
  if (late || other)
    fail(
      'conflict',
      `Run ${run.id} has already ended: ${run.status}. It takes no more ${late ? 'events' : 'verdicts'}.`,
      {
        details: { status: run.status, last_seq: run.last_seq },
      },
    )
  return answerFor(run, context)
}

async function answerFor(run: ExternalRun, { db }: Pick<Context, 'db'>) {
  const { id, trace_id, status, last_seq } = run
  const artifacts = await findArtifacts(db, trace_id)
  return { id, trace_id, status, last_seq, expected_seq: isEnded(status) ? null : last_seq + 1, artifacts }
}
