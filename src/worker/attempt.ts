import type { Page } from 'playwright-core'
import type { Failure, RunEvent, StepResult } from '../core/runs/index.ts'
import type { PlanStep, RuntimeEnvironment, RuntimeEvent, Session, StepPlan } from '../core/scenarios/index.ts'
import { causesNothing } from '../core/scenarios/plan.ts'
import { StepFailure } from '../core/scenarios/runtime/failure.ts'
import { openSession } from '../core/scenarios/runtime/session.ts'
import type { ArtifactShelf } from './artifacts.ts'
import type { Lease } from './browser/index.ts'
import { cleanFailure, cleanRecorder } from './clean.ts'
import { type Evidence, type Recorded, type Redactor, recordEvidence } from './evidence/index.ts'
import type { LoadedRun } from './load.ts'
import type { Recorder } from './recorder.ts'
import { keepDom, keepFrame, pictureName, type ToldOutline, takeOutline, takePicture } from './step-evidence.ts'
import { boundTabs } from './tabs.ts'
import { tell } from './tell.ts'

export type Verdict = 'passed' | 'failed' | 'errored'

export interface AttemptResult {
  status: Verdict
  failure: Failure | null
  steps: StepResult[]
  events: readonly RunEvent[]
  /** Unscrubbed. */
  recorded?: Recorded
  /** To be awaited before the context closes and the events end. */
  pictures?: Promise<unknown>
}

export interface AttemptContext {
  run: LoadedRun
  lease: Lease
  recorder: Recorder
  redactor: Redactor
  /** Begins to store scrubbed bytes; answers their hash and size. */
  keep: ArtifactShelf['put']
  /** Whether rrweb records. */
  replay: boolean
  /** Whether the film is whole. */
  film: boolean
  /** Aborts when the run is cancelled, lost, out of time, or its browser is gone; the reason is an Error. */
  signal: AbortSignal
  allowRequest: (url: string) => Promise<void>
  /** A file that a step uploads, by its name. */
  files: RuntimeEnvironment['files']
}

/** After its steps a run still gets this long to tear down. */
const teardownMs = 30_000

/** One try at a run, in a context of its own: Setup, Steps, the run-wide assertions, then Teardown whatever came before. */
export async function runAttempt(given: AttemptContext): Promise<AttemptResult> {
  const { run, lease, redactor } = given
  // The session takes secrets out of what it says only as they are; pages quote and escape them.
  const recorder = cleanRecorder(given.recorder, redactor)
  const context: Running = {
    ...given,
    recorder,
    later: [],
    pictures: [],
    told: { aria: '', seq: 0 },
    stuck: new WeakSet(),
  }
  const evidence = await recordEvidence(lease.context, {
    emit: (event) => void given.recorder.emit({ ...event }),
    redact: redactor,
    pictures: true,
    trace: true,
    replay: context.replay,
    film: context.film,
    browserUid: lease.browser.uid,
  })
  boundTabs(lease.context, recorder)
  const told = (event: RuntimeEvent) => tell(event, context, evidence)
  const session = await openSession(lease.context, run.plan.settings, environmentOf(run, context, told))
  const steps: StepResult[] = []
  const outcome = await runAll(context, session, evidence, steps)
  const pictured = steps.some((step) => step.message !== undefined)
  // Of what no step shows, such as errors on the console. The trace takes as long to end as the picture to be made.
  if (outcome.failure && !pictured)
    context.pictures.push(takePicture({ name: 'final.jpg', stepId: null }, session.page, context, evidence))
  const [recorded] = await Promise.all([evidence.stop(), ...context.later])
  return { ...outcome, steps, events: recorder.events(), recorded, pictures: Promise.all(context.pictures) }
}

interface Running extends AttemptContext {
  /** What the end of the attempt waits for. */
  later: Promise<void>[]
  /** What may still be made while the trace is looked through. */
  pictures: Promise<void>[]
  /** Shared by all of the attempt's steps. */
  told: ToldOutline
  /** Pages that did not answer while a step ran. */
  stuck: WeakSet<Page>
}

type Outcome = Pick<AttemptResult, 'status' | 'failure'>

async function runAll(context: Running, session: Session, evidence: Evidence, steps: StepResult[]): Promise<Outcome> {
  const { plan } = context.run
  const settings = plan.settings
  const limited = { ...context, signal: AbortSignal.any([context.signal, AbortSignal.timeout(settings.timeout_ms)]) }
  let outcome: Outcome = { status: 'passed', failure: null }
  let at: PlanStep | null = null
  try {
    for (const used of context.run.uses) await runUsed(used, limited, session)
    for (const step of plan.steps.filter((one) => one.section !== 'teardown')) {
      at = step
      const failure = await runStep(step, limited, session, evidence, steps)
      if (failure) {
        outcome = { failure, status: step.section === 'setup' || failure.kind === 'environment' ? 'errored' : 'failed' }
        break
      }
    }
    if (!outcome.failure) await orAbort(session.finish(), limited.signal)
  } catch (error) {
    if (context.signal.aborted) throw context.signal.reason
    outcome = limited.signal.aborted
      ? outOfTime(settings.timeout_ms, at)
      : {
          status: error instanceof StepFailure ? 'failed' : 'errored',
          failure: cleanFailure(readFailure(error, null), context.redactor),
        }
  }
  const teardown = { ...context, signal: AbortSignal.any([context.signal, AbortSignal.timeout(teardownMs)]) }
  for (const step of plan.steps.filter((one) => one.section === 'teardown')) {
    await runStep(step, teardown, session, evidence, steps).catch((error) => {
      if (context.signal.aborted) throw context.signal.reason
      context.recorder.emit({ kind: 'log', level: 'warn', message: `Teardown: ${String((error as Error).message)}` })
    })
  }
  return outcome
}

/** Steps that look for their target first: the trace tells of what they do then, and by then their group is open. */
const looksFirst = new Set<PlanStep['verb']>(['click', 'fill', 'clear', 'check', 'uncheck', 'hover', 'focus', 'scroll'])

/** A page that made a step fail may answer nothing more, and the run waits for it; for others it waits at its end alone, however busy the machine is. */
const outlinePatienceMs = { failed: 500, passed: 2000 }

/** Of a step that waited, only what was to be seen at last. */
const lastMomentMs = 50

/** Runs one step and records it. A failure is answered, unless the step is optional or of the Teardown: then it is a warning. */
async function runStep(
  step: PlanStep,
  context: Running,
  session: Session,
  evidence: Evidence,
  steps: StepResult[],
): Promise<Failure | undefined> {
  const { recorder, redactor } = context
  const { step_id, number, section } = step
  const text = redactor.text(step.text)
  const grouped = evidence.currentStep(step_id, `${number}. ${text}`)
  if (!looksFirst.has(step.verb)) await grouped
  recorder.emit({ kind: 'step.start', step_id, number, section, text, line: step.range.start.line, verb: step.verb })
  const started = performance.now()
  const failure = await orAbort(session.run(step), context.signal).then(
    () => undefined,
    (error: unknown) => {
      if (context.signal.aborted) throw context.signal.reason
      if (error instanceof StepFailure && error.unresponsive) context.stuck.add(session.page)
      else context.stuck.delete(session.page) // it may have come round: there is something to see again
      return cleanFailure(readFailure(error, step), redactor)
    },
  )
  const duration_ms = Math.round(performance.now() - started)
  const stuck = context.stuck.has(session.page)
  if (failure && !stuck) {
    // Before anything else changes the page.
    await takePicture({ name: pictureName(step.number), stepId: step_id }, session.page, context, evidence)
    await takeOutline(step_id, session.page, context, evidence, outlinePatienceMs.failed)
  } else {
    // A frame of the film is enough, and is all that is to be had of a page that is stuck; nobody waits for it. The browser
    // answers in order: the next step need not wait for what was asked before it.
    // A picture of what a step saw that changes nothing is one of any moment of it: it may share the one before.
    const since = Date.now() - (causesNothing.has(step.verb) ? Math.min(duration_ms, lastMomentMs) : 0)
    context.pictures.push(keepFrame(step, evidence.frame(session.page, since), context))
    const patienceMs = outlinePatienceMs[stuck ? 'failed' : 'passed']
    context.later.push(takeOutline(step_id, session.page, context, evidence, patienceMs))
  }
  if (step.verb === 'snapshot') await keepDom(step, session.page, context, evidence)
  const forgiven = failure && (step.options.optional === true || section === 'teardown')
  const bad = section === 'setup' || failure?.kind === 'environment' ? 'errored' : 'failed'
  const status = !failure ? 'passed' : forgiven ? 'warning' : bad
  const { message, expected, actual } = failure ?? {}
  const line = step.range.start.line
  const event = recorder.emit({
    kind: 'step.end',
    step_id,
    number,
    section,
    text,
    line,
    status,
    duration_ms,
    ...(message !== undefined && { message }),
    ...(expected !== undefined && { expected }),
    ...(actual !== undefined && { actual }),
  })
  steps.push({
    number,
    step_id,
    section,
    text,
    line,
    status,
    duration_ms,
    seq: event.seq,
    ...(message !== undefined && { message }),
  })
  await evidence.currentStep(null)
  return forgiven ? undefined : failure
}

/** Setup and Steps of a scenario that this one stands on: trouble there is trouble of the surroundings. */
async function runUsed(used: StepPlan, context: AttemptContext, session: Session): Promise<void> {
  context.recorder.emit({ kind: 'log', level: 'info', message: `Uses ${used.scenario.slug}` })
  for (const step of used.steps.filter((one) => one.section !== 'teardown')) {
    try {
      await orAbort(session.run(step), context.signal)
    } catch (error) {
      if (context.signal.aborted || step.options.optional) throw error
      const { message } = readFailure(error, step)
      throw new Error(
        `The scenario ${used.scenario.slug}, which this one uses, failed at its step ${step.number} (${step.text}): ${message}`,
      )
    }
  }
}

const placeOf = (step: PlanStep | null): Failure['step'] =>
  step && {
    number: step.number,
    step_id: step.step_id,
    text: step.text,
    line: step.range.start.line,
    section: step.section,
  }

function readFailure(error: unknown, step: PlanStep | null): Failure {
  const place = placeOf(step)
  if (!(error instanceof StepFailure)) {
    return { kind: 'environment', message: error instanceof Error ? error.message : String(error), step: place }
  }
  const { kind, message, expected, actual, hint, candidates } = error
  return {
    kind,
    message,
    step: place,
    ...(expected !== undefined && { expected }),
    ...(actual !== undefined && { actual }),
    ...(hint !== undefined && { hint }),
    ...(candidates !== undefined && candidates.length > 0 && { candidates }),
  }
}

const outOfTime = (ms: number, step: PlanStep | null): Outcome => ({
  status: 'errored',
  failure: { kind: 'timeout', message: `The run took longer than its timeout_ms of ${ms} ms.`, step: placeOf(step) },
})

/** The work, or the signal's reason as soon as it aborts: a step that hangs does not hold up a cancel. */
function orAbort<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  work.catch(() => {}) // when the signal is faster, nobody else listens
  if (signal.aborted) return Promise.reject(signal.reason)
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

function environmentOf(
  run: LoadedRun,
  context: AttemptContext,
  onEvent: (event: RuntimeEvent) => void,
): RuntimeEnvironment {
  const { claimed, plan } = run
  return {
    baseUrl: claimed.base_url,
    variables: run.variables,
    env: run.env,
    secrets: run.secrets,
    run: { id: claimed.id, user: { id: `user-${claimed.id}`, email: `run+${claimed.id}@molar.invalid` } },
    data: run.data,
    stepTimeoutMs: plan.settings.step_timeout_ms,
    files: context.files,
    onEvent,
    allowRequest: context.allowRequest,
  }
}
