import type { Results } from './index.ts'

/** The verdict, as `molar run --json` gives it. */
export function jsonReport({ runs }: Results): string {
  return `${JSON.stringify(verdictOf(runs), null, 2)}\n`
}

function verdictOf(runs: Results['runs']) {
  const passed = runs.filter(({ status }) => status === 'passed').length
  return { verdict: passed === runs.length ? 'passed' : 'failed', passed, failed: runs.length - passed, runs }
}
