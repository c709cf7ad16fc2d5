import { relative } from 'node:path'
import type { RunVerdict } from '../follow.ts'
import type { Results } from './index.ts'

/** JUnit's XML as CI systems read it: a test case a run, failures apart from errors. */
export function junitReport({ runs, files }: Results): string {
  const count = (...statuses: string[]) => runs.filter(({ status }) => statuses.includes(status)).length
  const seconds = runs.reduce((sum, { duration_ms }) => sum + (duration_ms ?? 0), 0) / 1000
  const totals = attributes({
    tests: runs.length,
    failures: count('failed'),
    errors: count('errored', 'aborted'),
    skipped: 0,
    time: seconds.toFixed(3),
  })
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="molar" ${totals}>`,
    `  <testsuite name="molar" ${totals}>`,
    ...runs.flatMap((run) => testCase(run, files.get(run.slug))),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n')
}

function testCase(run: RunVerdict, file: string | undefined): string[] {
  const row = run.data_row === null ? '' : ` (row ${run.data_row})`
  const facts = attributes({
    name: `${run.slug}${row}`,
    classname: 'molar',
    ...(file !== undefined && { file: relative(process.cwd(), file) }),
    time: ((run.duration_ms ?? 0) / 1000).toFixed(3),
  })
  const told = [
    `      <system-out>${text(`run ${run.id}, trace ${run.trace_id}${run.flaky ? ', flaky' : ''}`)}</system-out>`,
  ]
  if (run.status === 'passed') return [`    <testcase ${facts}>`, ...told, '    </testcase>']
  const { failure } = run
  const kind = run.status === 'failed' ? 'failure' : 'error'
  const [message = run.status] = (failure?.message ?? run.status).split('\n')
  const body = [
    ...(failure?.step ? [`Step ${failure.step.number}, line ${failure.step.line}: ${failure.step.text}`] : []),
    ...(failure ? [failure.message] : []),
    ...(failure?.expected === undefined ? [] : [`expected: ${failure.expected}`]),
    ...(failure?.actual === undefined ? [] : [`actual: ${failure.actual}`]),
    ...(run.diagnosis?.evidence ?? []).map((one) => `evidence (event ${one.seq.join(', ')}): ${one.text}`),
  ].join('\n')
  const head = attributes({ message, type: failure?.kind ?? run.status })
  return [`    <testcase ${facts}>`, `      <${kind} ${head}>${text(body)}</${kind}>`, ...told, '    </testcase>']
}

const attributes = (values: Record<string, string | number>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}="${text(String(value)).replaceAll('"', '&quot;').replaceAll('\n', '&#10;')}"`)
    .join(' ')

/** Characters that XML 1.0 cannot hold are no reason for a report that nobody can read. */
const text = (value: string): string =>
  value
    .toWellFormed()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to go
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '�')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
