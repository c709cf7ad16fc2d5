import { fail } from '../../../core/errors.ts'
import type { RunVerdict } from '../follow.ts'
import { githubReport } from './github.ts'
import { jsonReport } from './json.ts'
import { junitReport } from './junit.ts'

/** What was run, and the file of each scenario that came from one. */
export interface Results {
  runs: readonly RunVerdict[]
  files: ReadonlyMap<string, string>
}

/** Writes the results in a form that another program reads. `line`, for people, is not among them. */
const documents: Record<string, (results: Results) => string> = {
  json: jsonReport,
  junit: junitReport,
  github: githubReport,
}

export const reporterNames = ['line', ...Object.keys(documents)]

/** The reporter's document; undefined for `line`. Throws `bad_request` that names the reporters there are. */
export function readReporter(value: unknown): ((results: Results) => string) | undefined {
  if (typeof value !== 'string' || value === 'line') return undefined
  return documents[value] ?? fail('bad_request', `--reporter is "${value}": it takes ${reporterNames.join(', ')}.`)
}
