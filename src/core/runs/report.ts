import type { Diagnosis } from './diagnosis.ts'
import type { Failure, StepResult } from './run.ts'
import type { RunDetail } from './store.ts'

/** What the documents of a run say of it. */
export type Reported = Pick<
  RunDetail,
  | 'id'
  | 'slug'
  | 'title'
  | 'status'
  | 'attempt'
  | 'flaky'
  | 'base_url'
  | 'trace_id'
  | 'step_count'
  | 'duration_ms'
  | 'failure_signature'
> & {
  failure: unknown
  diagnosis: unknown
  steps: readonly unknown[]
}

/** A run for people: verdict, why, every step. Markdown; what the page said stands in code fences and inline code. */
export function renderReport(run: Reported): string {
  const failure = run.failure as Failure | null
  const diagnosis = run.diagnosis as Diagnosis | null
  const steps = run.steps as StepResult[]
  return [
    `# ${run.title}: ${run.status}${run.flaky ? ' (flaky)' : ''}`,
    '',
    `Run ${run.id}, trace ${run.trace_id}, attempt ${run.attempt}, scenario \`${run.slug}\`, against ${run.base_url ?? 'no base URL'}, ${run.duration_ms ?? 0} ms.`,
    ...(failure ? ['', '## Why', '', ...why(failure, run.step_count)] : []),
    ...(run.failure_signature ? ['', `Signature: \`${run.failure_signature}\``] : []),
    ...(diagnosis && diagnosis.evidence.length > 0
      ? ['', '## Evidence', '', ...diagnosis.evidence.map(evidenceLine)]
      : []),
    '',
    '## Steps',
    '',
    '| # | step | verdict | ms |',
    '|---|---|---|---|',
    ...steps.map((step) => `| ${step.number} | ${code(step.text)} | ${step.status} | ${step.duration_ms} |`),
    '',
  ].join('\n')
}

function why(failure: Failure, count: number): string[] {
  const { step, message, expected, actual, hint, candidates = [] } = failure
  return [
    step ? `Step ${step.number} of ${count} (line ${step.line}): ${code(step.text)}` : 'Before the first step.',
    '',
    fence(message),
    ...(expected === undefined ? [] : [`- expected: ${code(expected)}`]),
    ...(actual === undefined ? [] : [`- actual: ${code(actual)}`]),
    ...(hint === undefined ? [] : [`- hint: ${hint}`]),
    ...candidates.map((one) => `- nearly matched: ${code(one.description)} (${one.why})`),
  ]
}

const evidenceLine = (one: Diagnosis['evidence'][number]) => `- events ${one.seq.join(', ') || '–'}: ${code(one.text)}`
const code = (text: string) => `\`${text.replace(/[`\r\n|]+/g, ' ')}\``
const fence = (text: string) => `\`\`\`text\n${text.replaceAll('```', "'''")}\n\`\`\`\n`
