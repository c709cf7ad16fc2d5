import type { Assertion, Match } from '../plan.ts'
import type { KeptDownload } from './actions.ts'
import type { PageAssertion, Question } from './assertions.ts'
import { answerAt, textCompares } from './assertions.ts'
import type { Complaints } from './complaints.ts'
import { consoleErrors, failedRequests, hearOut } from './complaints.ts'
import { StepFailure } from './failure.ts'
import type { Verdict } from './holds.ts'
import { answerOf } from './network.ts'
import type { SessionState } from './state.ts'
import { textOf } from './state.ts'

/** What assertions about the past read. */
export interface Records {
  complaints: Complaints
  downloads: Map<string, KeptDownload>
  /** Status of the last document each page was given. */
  pageStatus: (state: SessionState) => number | undefined
}

export type RecordAssertion = Exclude<Assertion, PageAssertion>

/** Assertions about what was recorded: statuses, answers, downloads, complaints, values and clones. */
export function recordQuestion(state: SessionState, one: RecordAssertion, records: Records): Question {
  switch (one.subject) {
    case 'page_status':
      return statusQuestion(`the page status is ${one.status}`, one.status, () => records.pageStatus(state))
    case 'response_status':
      return statusQuestion(`the response status is ${one.status}`, one.status, () => answerOf(state.traffic).status)
    case 'response_path':
      return answerQuestion(state, one.path, one.match, textOf(state, one.value))
    case 'download':
      return downloadQuestion(records, one.download, one.match, textOf(state, one.value))
    case 'value':
      return valueQuestion(textOf(state, one.left), one.match, textOf(state, one.right))
    case 'no_console_errors':
      return noneQuestion(state, 'console errors', () => consoleErrors(state, records.complaints))
    case 'no_failed_requests':
      return noneQuestion(state, 'failed requests', () => failedRequests(state))
    case 'clone':
      return cloneQuestion(state, one)
  }
}

function statusQuestion(expected: string, wanted: number, read: () => number | undefined): Question {
  const look = (): Verdict => {
    const status = read()
    return { holds: status === wanted, actual: status === undefined ? 'unknown: no page was loaded' : String(status) }
  }
  return { expected, want: 'see', look }
}

function answerQuestion(state: SessionState, path: string, match: Match, wanted: string): Question {
  const look = (): Verdict => {
    const { found, value, text } = answerAt(state, path)
    const inList =
      match === 'contains' &&
      Array.isArray(value) &&
      value.some((item) => item === wanted || JSON.stringify(item) === wanted)
    return {
      holds: found && (inList || sameJson(match, value, wanted) || textCompares(match, text, wanted)),
      actual: found ? text : 'nothing there',
    }
  }
  return { expected: `${path} ${match} ${wanted}`, want: 'see', look }
}

// `{"a": 1}` is the same with other spacing.
function sameJson(match: Match, value: unknown, wanted: string): boolean {
  if (match !== 'is' || value === null || typeof value !== 'object') return false
  try {
    return JSON.stringify(JSON.parse(wanted)) === JSON.stringify(value)
  } catch {
    return false
  }
}

function downloadQuestion({ downloads }: Records, as: string, match: Match, wanted: string): Question {
  const look = (): Verdict => {
    const kept = downloads.get(as) ?? (as === 'name' ? [...downloads.values()].at(-1) : undefined)
    if (kept) return { holds: textCompares(match, kept.fileName, wanted), actual: `"${kept.fileName}"` }
    throw new StepFailure('assertion', `There is no download "${as}".`, {
      expected: `a download kept as ${as}`,
      actual: `kept: ${[...downloads.keys()].join(', ') || 'none'}`,
    })
  }
  return { expected: `the download ${as} ${match} "${wanted}"`, want: 'see', look }
}

function valueQuestion(left: string, match: Match, right: string): Question {
  return {
    expected: `"${left}" ${match} "${right}"`,
    want: 'see',
    look: () => ({ holds: textCompares(match, left, right), actual: `"${left}"` }),
  }
}

function noneQuestion(state: SessionState, what: string, list: () => string[]): Question {
  const look = async (): Promise<Verdict> => {
    await hearOut(state)
    const found = list()
    return {
      holds: found.length === 0,
      actual: found.length === 0 ? `no ${what}` : `${found.length}: ${found.slice(0, 5).join('; ')}`,
    }
  }
  return { expected: `no ${what}`, want: 'see', look }
}

function cloneQuestion(state: SessionState, one: Extract<Assertion, { subject: 'clone' }>): Question {
  const { countInClone } = state.environment
  const about = one.for === undefined ? undefined : textOf(state, one.for)
  const what = [one.state, one.noun].filter(Boolean).join(' ')
  const expected = `the ${one.kind} clone has ${one.count} ${what}${about === undefined ? '' : ` for ${about}`}`
  const look = async (): Promise<Verdict> => {
    if (!countInClone)
      throw new StepFailure('environment', `This run has no clones, so it cannot tell whether ${expected}.`)
    const question = {
      kind: one.kind,
      noun: one.noun,
      ...(one.state ? { state: one.state } : {}),
      ...(about === undefined ? {} : { for: about }),
    }
    const count = await countInClone(question)
    return { holds: count === one.count, actual: String(count) }
  }
  return { expected, want: 'see', look }
}
