import { z } from 'zod'
import { id, nullableTime, slug, time, untrusted } from '../fields.ts'

export const runStatuses = ['queued', 'running', 'passed', 'failed', 'errored', 'aborted'] as const
export type RunStatus = (typeof runStatuses)[number]
const endedStatuses = ['passed', 'failed', 'errored', 'aborted'] as const
export const isEnded = (status: RunStatus): boolean => (endedStatuses as readonly string[]).includes(status)

export const runTypes = ['manual', 'pr', 'schedule', 'shadow_diff'] as const

/** What became of one step. `seq`: the event that ended it. */
export const stepResult = z.object({
  number: z.int(),
  step_id: z.string(),
  section: z.enum(['setup', 'steps', 'teardown']),
  text: z.string(),
  line: z.int(),
  status: z.enum(['passed', 'failed', 'errored', 'skipped', 'warning']),
  duration_ms: z.int(),
  seq: z.int(),
  message: untrusted().optional(),
})
export type StepResult = z.infer<typeof stepResult>

/** Why a run did not pass: what a person or an agent needs first. Its text may quote the page. */
export const failure = z.object({
  kind: z.enum(['assertion', 'action', 'environment', 'browser', 'timeout', 'worker', 'cancelled', 'unresolved']),
  code: z.string().optional(),
  message: untrusted(),
  step: z
    .object({ number: z.int(), step_id: z.string(), text: z.string(), line: z.int(), section: z.string() })
    .nullable(),
  expected: untrusted().optional(),
  actual: untrusted().optional(),
  hint: z.string().optional(),
  candidates: z.array(z.object({ description: untrusted(), locator: z.string(), why: z.string() })).optional(),
})
export type Failure = z.infer<typeof failure>

const executors = ['worker', 'external'] as const

export const run = z.object({
  id,
  scenario_id: id,
  slug,
  title: z.string(),
  type: z.enum(runTypes),
  status: z.enum(runStatuses),
  executor: z.enum(executors).describe('external: a CI executes it and reports with molar_ingest_run'),
  attempt: z.int().describe('Times it was started; above 1 after a retry or a lost worker'),
  flaky: z.boolean().describe('Passed, but not at the first try'),
  base_url: z.string().nullable(),
  region: z.string(),
  repo: z.string().nullable(),
  commit_sha: z.string().nullable(),
  pr_number: z.int().nullable(),
  data_row: z.int().nullable(),
  step_count: z.int(),
  steps_done: z.int(),
  failure: failure.nullable(),
  failure_signature: z.string().nullable(),
  rerun_of: id.nullable(),
  trace_id: id,
  created_at: time,
  started_at: nullableTime,
  finished_at: nullableTime,
  duration_ms: z.int().nullable(),
})
export type Run = z.input<typeof run>

/** One thing that happened, as it stands in the trace; `data` varies by kind. */
export const eventKinds = [
  'run.start',
  'step.start',
  'step.end',
  'navigation',
  'network.request',
  'network.response',
  'console.log',
  'console.warn',
  'console.error',
  'dom.snapshot',
  'dom.mutation',
  'screenshot',
  'assertion',
  'clone.state',
  'agent.thought',
  'agent.action',
  'log',
  'run.end',
] as const
export const runEvent = z
  .looseObject({
    seq: z.int(),
    ts: z.int().describe('Milliseconds since 1970'),
    kind: z.enum(eventKinds),
    step_id: z.string().nullable(),
    attempt: z.int(),
  })
  .meta({ 'x-molar-untrusted': true })
export type RunEvent = z.infer<typeof runEvent>
