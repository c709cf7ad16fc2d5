import { z } from 'zod'
import { id } from '../fields.ts'
import { diagnosis } from './diagnosis.ts'
import { failure, isEnded, runStatuses } from './run.ts'
import type { RunDetail } from './store.ts'

/** A run as an agent needs it: what became of it and, where it did not pass, why. */
export const runVerdict = z.object({
  id,
  slug: z.string(),
  status: z.enum(runStatuses),
  duration_ms: z.int().nullable(),
  steps_done: z.int(),
  step_count: z.int(),
  flaky: z.boolean(),
  data_row: z.int().nullable(),
  trace_id: id,
  failure: failure.nullable(),
  diagnosis: diagnosis.nullable(),
})

export const verdict = z.object({
  verdict: z.enum(['passed', 'failed', 'running']).describe('passed: every run passed. running: some have not ended'),
  passed: z.int(),
  failed: z.int().describe('Failed, errored or aborted'),
  running: z.int(),
  runs: z.array(runVerdict),
  next: z.string().nullable().describe('What to do now'),
})
export type Verdict = z.input<typeof verdict>

/** Diagnoses stay short as runs grow many: the first failures in full, the others by their message. */
const fullDiagnoses = 2

export function makeVerdict(rows: readonly RunDetail[]): Verdict {
  const ended = rows.filter((row) => isEnded(row.status))
  const failed = ended.filter((row) => row.status !== 'passed')
  const running = rows.length - ended.length
  const runs = rows.map((row) => ({
    ...row,
    diagnosis: failed.indexOf(row) < fullDiagnoses ? (row.diagnosis as z.input<typeof diagnosis> | null) : null,
  }))
  return {
    verdict: running > 0 ? 'running' : failed.length > 0 ? 'failed' : 'passed',
    passed: ended.length - failed.length,
    failed: failed.length,
    running,
    runs,
    next: nextStep(running > 0 ? rows.filter((row) => !isEnded(row.status)) : [], failed),
  }
}

function nextStep(running: readonly RunDetail[], failed: readonly RunDetail[]): string | null {
  const [first] = running
  if (first)
    return `Still running. Call molar_wait_run with id ${first.id}${running.length > 1 ? ' and the others’' : ''}.`
  const [worst] = failed
  if (!worst) return null
  return `Read the diagnosis; get_trace with id ${worst.trace_id} has every event. Mend the application or the scenario, then run it again.`
}

export function renderVerdict({
  verdict: outcome,
  passed,
  failed,
  running,
  runs,
  next,
}: z.output<typeof verdict>): string {
  const counts = [`${passed} passed`, `${failed} failed`, ...(running > 0 ? [`${running} running`] : [])].join(', ')
  return [`**${outcome}**: ${counts}.`, ...runs.map(renderRun), ...(next ? [next] : [])].join('\n')
}

function renderRun(run: z.output<typeof runVerdict>): string {
  const row = run.data_row === null ? '' : ` (row ${run.data_row})`
  const took = run.duration_ms === null ? '' : ` in ${(run.duration_ms / 1000).toFixed(1)} s`
  const head = `- ${run.slug}${row}: ${run.status}${run.flaky ? ' (flaky)' : ''}${took}; run ${run.id}, trace ${run.trace_id}`
  if (!run.failure) return head
  const { step, message, expected, actual, hint } = run.failure
  return [
    head,
    step
      ? `  - step ${step.number} of ${run.step_count}, line ${step.line}: ${step.text}`
      : '  - before the first step',
    `  - ${message}`,
    ...(expected === undefined ? [] : [`  - expected: ${expected}`]),
    ...(actual === undefined ? [] : [`  - actual: ${actual}`]),
    ...(hint === undefined ? [] : [`  - hint: ${hint}`]),
    ...(run.diagnosis?.evidence ?? []).map((one) => `  - evidence (event ${one.seq.join(', ')}): ${one.text}`),
  ].join('\n')
}
