import { z } from 'zod'
import { fail } from '../errors.ts'
import type { PlanStep } from '../scenarios/index.ts'
import { eventKinds, type Failure, failure, type RunEvent, type StepResult } from './run.ts'

const reportedEventKinds = eventKinds.filter((kind) => kind !== 'run.end')

/** An event as an executor numbers it, from 1, without gaps. What else it says depends on its kind, as in every trace. */
export const reportedEvent = z.looseObject({
  seq: z.int().min(1).max(1_000_000),
  ts: z.int().min(0).max(8_640_000_000_000).describe('Milliseconds since 1970'),
  kind: z.enum(reportedEventKinds),
  step_id: z.string().max(100).nullable().default(null),
  attempt: z.int().min(1).max(100).default(1),
})
export type ReportedEvent = z.output<typeof reportedEvent>

export const reportedVerdict = z.object({
  status: z.enum(['passed', 'failed', 'errored', 'aborted']),
  last_seq: z.int().min(0).optional().describe('seq of the last event: what is missing is then told instead of lost'),
  failure: z
    .object({
      message: z.string().min(1).max(10_000),
      kind: failure.shape.kind.default('assertion'),
      step: z
        .int()
        .min(1)
        .optional()
        .describe('Number of the step that failed; the last failed step.end when left out'),
      expected: z.string().max(5000).optional(),
      actual: z.string().max(5000).optional(),
      hint: z.string().max(1000).optional(),
    })
    .optional(),
  flaky: z.boolean().default(false).describe('Passed, but not at the first try'),
  duration_ms: z.int().min(0).max(2_147_483_647).optional(),
})
export type ReportedVerdict = z.output<typeof reportedVerdict>

const maxEventBytes = 64 * 1024
const maxEvents = 50_000

/** The events that are not there yet. Throws where one is missing, and says which is expected. */
export function newEvents(events: readonly ReportedEvent[], lastSeq: number): RunEvent[] {
  const [first] = events
  if (!first) return []
  for (const [place, event] of events.entries()) {
    const expected = first.seq + place
    if (event.seq !== expected)
      fail(
        'validation_failed',
        `events.${place}.seq: is ${event.seq}, but ${expected} is expected after ${expected - 1}.`,
        {
          details: { expected_seq: expected },
        },
      )
    if (JSON.stringify(event).length > maxEventBytes)
      fail(
        'validation_failed',
        `events.${place}: has more than ${maxEventBytes / 1024} KiB. Send what is long as an artifact.`,
      )
  }
  if (first.seq > lastSeq + 1)
    fail(
      'conflict',
      `events.0.seq: is ${first.seq}, but ${lastSeq + 1} is expected: ${lastSeq === 0 ? 'no event is there yet' : `${lastSeq} is the last that is there`}. Send from ${lastSeq + 1} on.`,
      { details: { expected_seq: lastSeq + 1, last_seq: lastSeq } },
    )
  const fresh = events.slice(lastSeq + 1 - first.seq) as RunEvent[]
  if ((fresh.at(-1)?.seq ?? 0) > maxEvents)
    fail(
      'validation_failed',
      `A run has at most ${maxEvents} events. Leave out what is noise, or end it with its verdict.`,
    )
  return fresh
}

/** An event that was taken before may come again as it was. Throws where one says something else, and names it. */
export function refuseOther(events: readonly ReportedEvent[], stored: readonly RunEvent[]): void {
  const bySeq = new Map(stored.map((event) => [event.seq, event]))
  for (const [place, event] of events.entries()) {
    const before = bySeq.get(event.seq)
    if (before && !same(before, event))
      fail(
        'conflict',
        `events.${place}: event ${event.seq} was reported before with other content. What is taken stays: send what is new under new numbers.`,
        { details: { seq: event.seq, stored: before } },
      )
  }
}

/** What a secret was taken out of says nothing of what it was: it passes for the same. */
const scrubbed = /\[(?:secret:|redacted\])/

function same(stored: unknown, sent: unknown): boolean {
  if (typeof stored === 'string' && typeof sent === 'string')
    return stored === sent || scrubbed.test(stored) || scrubbed.test(sent)
  if (typeof stored !== 'object' || typeof sent !== 'object' || stored === null || sent === null) return stored === sent
  const [before, now] = [Object.entries(stored), sent as Record<string, unknown>]
  return (
    Array.isArray(stored) === Array.isArray(sent) &&
    before.length === Object.keys(sent).length &&
    before.every(([key, value]) => scrubbed.test(key) || (Object.hasOwn(now, key) && same(value, now[key])))
  )
}

/** The steps so far, from step.end events; what an event leaves out the scenario's plan says. A new attempt starts over. */
export function stepsAfter(
  before: { attempt: number; steps: readonly StepResult[] },
  events: readonly RunEvent[],
  plan: readonly PlanStep[],
): { attempt: number; steps: StepResult[] } {
  let { attempt } = before
  let steps = [...before.steps]
  for (const event of events) {
    if (event.attempt > attempt) {
      attempt = event.attempt
      steps = []
    }
    if (event.kind !== 'step.end') continue
    const step = readStep(event, plan)
    steps = [...steps.filter((one) => one.number !== step.number), step]
  }
  return { attempt, steps: steps.sort((a, b) => a.number - b.number) }
}

const stepEnd = z.object({
  number: z.int().min(1).optional(),
  text: z.string().max(4000).optional(),
  line: z.int().min(0).optional(),
  section: z.enum(['setup', 'steps', 'teardown']).optional(),
  status: z.enum(['passed', 'failed', 'errored', 'skipped', 'warning']),
  duration_ms: z.int().min(0).default(0),
  message: z.string().optional(),
})

function readStep(event: RunEvent, plan: readonly PlanStep[]): StepResult {
  const parsed = stepEnd.safeParse(event)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    return fail('validation_failed', `Event ${event.seq} (step.end): ${issue?.path.join('.')}: ${issue?.message}.`)
  }
  const { number, text, line, section, ...said } = parsed.data
  const planned = plan.find((step) => (number === undefined ? step.step_id === event.step_id : step.number === number))
  const found = number ?? planned?.number
  if (found === undefined)
    fail('validation_failed', `Event ${event.seq} (step.end) names no step: give number, or the step_id of the plan.`)
  return {
    number: found,
    step_id: event.step_id ?? planned?.step_id ?? `step-${found}`,
    section: section ?? planned?.section ?? 'steps',
    text: text ?? planned?.text ?? `Step ${found}`,
    line: line ?? planned?.range.start.line ?? 0,
    status: said.status,
    duration_ms: said.duration_ms,
    seq: event.seq,
    ...(said.message !== undefined && { message: said.message }),
  }
}

/** Why the run did not pass: what the verdict says, about the step that failed. null for one that passed. */
export function failureOf(verdict: ReportedVerdict, steps: readonly StepResult[]): Failure | null {
  const bad = steps.findLast(({ status }) => status === 'failed' || status === 'errored')
  if (verdict.status === 'passed') {
    if (verdict.failure) fail('validation_failed', 'verdict.failure: a run that passed has none.')
    if (bad)
      fail('validation_failed', `verdict.status: is passed, but step ${bad.number} is reported as ${bad.status}.`)
    return null
  }
  const said: Partial<NonNullable<ReportedVerdict['failure']>> = verdict.failure ?? {}
  const { step, message = bad?.message ?? `The executor ended it as ${verdict.status} and did not say why.` } = said
  const named = step === undefined ? bad : steps.find(({ number }) => number === step)
  if (step !== undefined && !named)
    fail('validation_failed', `verdict.failure.step: no step.end of step ${step} was reported.`)
  const kind = verdict.status === 'aborted' ? 'cancelled' : (said.kind ?? (bad ? 'assertion' : 'environment'))
  const place = named && {
    number: named.number,
    step_id: named.step_id,
    text: named.text,
    line: named.line,
    section: named.section,
  }
  const { expected, actual, hint } = said
  return {
    kind,
    message,
    step: place ?? null,
    ...(expected !== undefined && { expected }),
    ...(actual !== undefined && { actual }),
    ...(hint !== undefined && { hint }),
  }
}
