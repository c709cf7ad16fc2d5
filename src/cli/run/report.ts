import type { Carrier } from '../carrier.ts'
import { type Channel, fit, harmless, oneLine } from '../terminal.ts'
import type { RunVerdict } from './follow.ts'

const marks: Record<string, string> = { passed: '✓', failed: '✗', errored: '✗', aborted: '■' }
/** What a person reads at a glance; `molar traces report` has the rest. */
const mostEvidence = 4

/** A line a run, then for each that did not pass where, what was expected, what the evidence says and where the trace lies. */
export function printRuns(
  runs: readonly RunVerdict[],
  out: Channel,
  { where, called }: Pick<Carrier, 'where'> & { called: string },
): void {
  const wide = Math.max(0, ...runs.map(({ slug }) => slug.length))
  for (const run of runs) out.line(headline(run, wide, out))
  for (const run of runs) if (run.status !== 'passed') printFailure(run, out, called)
  const failed = runs.filter(({ status }) => status !== 'passed').length
  const total = `${runs.length - failed} passed, ${failed} failed`
  out.line(
    `\n${failed > 0 ? out.paint.red(total) : out.paint.green(total)}${where === 'remote' ? out.paint.dim(' on the server') : ''}`,
  )
}

function headline(run: RunVerdict, wide: number, { paint }: Channel): string {
  const color = run.status === 'passed' ? paint.green : run.status === 'aborted' ? paint.yellow : paint.red
  const row = run.data_row === null ? '' : ` row ${run.data_row}`
  const took = run.duration_ms === null ? '' : `${(run.duration_ms / 1000).toFixed(1)} s`
  const facts = [`${run.steps_done}/${run.step_count} steps`, took, run.flaky ? 'flaky' : ''].filter(Boolean).join(', ')
  return `${color(marks[run.status] ?? '·')} ${run.slug.padEnd(wide)}${row}  ${run.status}  ${paint.dim(facts)}`
}

/** `called`: how the user starts this program. */
export function printFailure(run: RunVerdict, out: Channel, called: string): void {
  const { failure, diagnosis } = run
  const { bold, dim, red } = out.paint
  const row = (name: string, text: string) => out.line(`  ${dim(name.padEnd(9))}${text}`)
  const short = (text: string) => fit(oneLine(text), Math.max(40, Math.min(out.width - 12, 400)))
  out.line(`\n${red(bold(run.slug))}${run.data_row === null ? '' : ` row ${run.data_row}`}`)
  if (failure?.step)
    row('step', `${failure.step.number} of ${run.step_count}, line ${failure.step.line}: ${short(failure.step.text)}`)
  if (failure) row('says', harmless(failure.message).split('\n').join('\n           '))
  if (failure?.expected !== undefined) row('expected', short(failure.expected))
  if (failure?.actual !== undefined) row('actual', short(failure.actual))
  if (failure?.hint !== undefined) row('hint', short(failure.hint))
  for (const one of (diagnosis?.evidence ?? []).slice(0, mostEvidence))
    row('evidence', `${short(one.text)}${dim(` (event ${one.seq.join(', ')})`)}`)
  row('trace', `${run.trace_id}: ${called} traces report ${run.trace_id}`)
}
