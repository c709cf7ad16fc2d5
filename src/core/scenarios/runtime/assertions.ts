import type { Assertion, Match, PlanStep, Target } from '../plan.ts'
import { ariaMatches, parseAria } from './aria.ts'
import { StepFailure } from './failure.ts'
import {
  askElement,
  countNow,
  lookUntil,
  stateHolds,
  textHolds,
  undecidedFailure,
  type Verdict,
  wantOfState,
} from './holds.ts'
import { jsonAsText, jsonPathKeys, readJsonPath } from './json-path.ts'
import { comparedUrl, foldSpace, urlIs, urlMatches } from './matching.ts'
import { answerOf } from './network.ts'
import type { Want } from './stages.ts'
import type { SessionState } from './state.ts'
import { currentPage, textOf } from './state.ts'
import { describeTarget } from './targets.ts'
import type { Deadline } from './waiting.ts'

/** An assertion made ready: what is expected in words, and one look at how it stands. */
export interface Question {
  expected: string
  want: Want
  look: () => Promise<Verdict> | Verdict
}

export type AssertStep = PlanStep & { verb: 'assert' }
/** Assertions that look at one element or at the page. The rest is in `records.ts`. */
export type PageAssertion = Extract<
  Assertion,
  { subject: 'text' | 'state' | 'content' | 'attribute' | 'class' | 'count' | 'aria' | 'url' | 'title' }
>

/** Looks until the assertion holds. Throws with expected and actual where it never does. */
export async function settleQuestion(
  state: SessionState,
  step: AssertStep,
  question: Question,
  deadline: Deadline,
): Promise<void> {
  const verdict = await lookUntil(deadline, step.negated, question.look)
  const expected = step.negated ? `not: ${question.expected}` : question.expected
  if (verdict.passed) return
  if (verdict.undecided) throw await undecidedFailure(state, verdict.undecided, question.want, deadline)
  throw new StepFailure('assertion', `Expected ${expected}, but it is ${verdict.actual}.`, {
    expected,
    actual: verdict.actual,
  })
}

/** `is` is whole, `contains` a part, both with white space folded. */
export function textCompares(match: Match, actual: string, wanted: string): boolean {
  return match === 'contains' ? foldSpace(actual).includes(foldSpace(wanted)) : foldSpace(actual) === foldSpace(wanted)
}

export function pageQuestion(state: SessionState, one: PageAssertion, deadline: Deadline): Question {
  switch (one.subject) {
    case 'text': {
      const text = textOf(state, one.value)
      return {
        expected: `the text "${text}" is ${one.state}`,
        want: 'see',
        look: () => textHolds(state, text, one.state),
      }
    }
    case 'state':
      return {
        expected: `${describeTarget(one.target)} is ${one.state}`,
        want: wantOfState(one.state),
        look: () => stateHolds(state, one.target, one.state, deadline),
      }
    case 'count':
      return countQuestion(state, one)
    case 'content':
      return contentQuestion(state, one, deadline)
    case 'attribute':
    case 'class':
      return attributeQuestion(state, one, deadline)
    case 'aria':
      return ariaQuestion(state, one.target, one.snapshot, deadline)
    case 'url':
      return urlQuestion(state, one.match, textOf(state, one.value))
    case 'title':
      return titleQuestion(state, one.match, textOf(state, one.value))
  }
}

function countQuestion(state: SessionState, one: Extract<Assertion, { subject: 'count' }>): Question {
  const holds = {
    exactly: (n: number) => n === one.count,
    at_least: (n: number) => n >= one.count,
    at_most: (n: number) => n <= one.count,
  }
  const words = { exactly: 'exactly', at_least: 'at least', at_most: 'at most' }
  const look = async (): Promise<Verdict> => {
    const count = await countNow(state, one.target)
    return { holds: holds[one.compare](count), actual: `${count}` }
  }
  return { expected: `${words[one.compare]} ${one.count} ${describeTarget(one.target)}`, want: 'see', look }
}

function contentQuestion(
  state: SessionState,
  one: Extract<Assertion, { subject: 'content' }>,
  deadline: Deadline,
): Question {
  const wanted = textOf(state, one.value)
  const want: Want = one.what === 'value' ? 'value' : 'see'
  const look = () =>
    askElement(state, one.target, want, deadline, async (locator, timeout) => {
      const texts = await locator.evaluate(one.what === 'value' ? valuesOf : textsOf, undefined, { timeout })
      return {
        holds: texts.some((text) => textCompares(one.match, text, wanted)),
        actual: `"${foldSpace(texts[0] ?? '')}"`,
      }
    })
  const verb = one.match === 'is' ? 'has' : 'contains'
  return { expected: `${describeTarget(one.target)} ${verb} the ${one.what} "${wanted}"`, want, look }
}

// Runs in the page. What is shown first; what stands in the document counts as well, because CSS may change its case.
export function textsOf(element: Element): string[] {
  if (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement) return [element.value]
  // innerText: what is rendered is what is asked about
  return [(element as HTMLElement).innerText ?? element.textContent ?? '', element.textContent ?? '']
}

// Runs in the page. Of a list both the value and what a person reads of it.
export function valuesOf(element: Element): string[] {
  if (element instanceof HTMLSelectElement) {
    const chosen = [...element.selectedOptions]
    return [chosen.map((option) => option.value).join(', '), chosen.map((option) => option.label).join(', ')]
  }
  const field = element instanceof HTMLLabelElement ? element.control : element
  if (field && 'value' in field) return [String(field.value)]
  return [element.getAttribute('aria-valuetext') ?? element.getAttribute('aria-valuenow') ?? element.textContent ?? '']
}

function attributeQuestion(
  state: SessionState,
  one: Extract<Assertion, { subject: 'attribute' | 'class' }>,
  deadline: Deadline,
): Question {
  const wanted = textOf(state, one.value)
  const name = one.subject === 'class' ? 'class' : one.attribute
  const look = () =>
    askElement(state, one.target, 'see', deadline, async (locator, timeout) => {
      const actual = await locator.getAttribute(name, { timeout })
      const classes = (actual ?? '').split(/\s+/)
      const holds =
        one.subject === 'class' ? wanted.split(/\s+/).every((part) => classes.includes(part)) : actual === wanted
      return { holds, actual: actual === null ? `without ${name}` : `"${actual}"` }
    })
  const what = one.subject === 'class' ? 'the class' : `the attribute ${name}`
  return { expected: `${describeTarget(one.target)} has ${what} "${wanted}"`, want: 'see', look }
}

function ariaQuestion(state: SessionState, target: Target, snapshot: string, deadline: Deadline): Question {
  const template = readTemplate(snapshot)
  const look = () =>
    askElement(state, target, 'see', deadline, async (locator, timeout) => {
      const actual = await locator.ariaSnapshot({ timeout })
      return { holds: ariaMatches(template, parseAria(actual)), actual: `\n${actual}` }
    })
  return { expected: `${describeTarget(target)} matches aria\n${snapshot}\n`, want: 'see', look }
}

function readTemplate(snapshot: string) {
  try {
    return parseAria(snapshot)
  } catch (error) {
    throw new StepFailure('action', error instanceof Error ? error.message : String(error))
  }
}

/** Does the page's URL match? */
export function urlQuestion(state: SessionState, match: Match, wanted: string): Question {
  const look = (): Verdict => {
    const url = currentPage(state).url()
    const holds =
      match === 'contains' ? url.includes(wanted) : match === 'is' ? urlIs(wanted, url) : urlMatches(wanted, url)
    return { holds, actual: comparedUrl(wanted, url) }
  }
  return { expected: `the URL ${match} ${wanted}`, want: 'see', look }
}

function titleQuestion(state: SessionState, match: Match, wanted: string): Question {
  const look = async (): Promise<Verdict> => {
    const title = await currentPage(state).title()
    return { holds: textCompares(match, title, wanted), actual: `"${title}"` }
  }
  return { expected: `the title ${match} "${wanted}"`, want: 'see', look }
}

/** The value at a path of the last answer, as text. */
export function answerAt(state: SessionState, path: string): { found: boolean; value: unknown; text: string } {
  const keys = jsonPathKeys(path)
  if (!keys) throw new StepFailure('action', `"${path}" is not a path.`, { hint: 'Write it as $.order.items[0].name.' })
  const answer = answerOf(state.traffic)
  let body: unknown
  try {
    body = JSON.parse(answer.body)
  } catch {
    throw new StepFailure('assertion', `${answer.method} ${answer.url} did not answer with JSON.`, {
      expected: 'JSON',
      actual: answer.body === '' ? 'an empty body' : answer.body.slice(0, 10_000),
    })
  }
  const value = readJsonPath(body, keys)
  return { found: value !== undefined, value, text: jsonAsText(value) }
}
