import type { Action } from '../plan.ts'
import { explain } from './explain.ts'
import { type Fence, readFence } from './fences.ts'
import { type Extras, type Form, match } from './form.ts'
import { type OptionKind, readOptions, splitOptions } from './options.ts'
import type { Report } from './problem.ts'
import { miss, type Reference, type Scan, scanOf, skipSpace, takeLetters, takeWord } from './scanner.ts'
import { formsByVerb, synonyms } from './verbs/index.ts'

/** A step as the body has it: a stretch of the source, and the fenced block below it. */
export interface StepSource {
  start: number
  end: number
  fence?: Fence
}

export interface ReadStep {
  action: Action
  options: Record<string, unknown>
  references: Reference[]
}

/** One step's action and references; undefined, with the reasons reported, where it is not in the language. */
export function readStep(source: string, step: StepSource, report: Report): ReadStep | undefined {
  const { head, options: stretch } = splitOptions(source, step.start, step.end)
  const scan = scanOf(source, head.start, head.end)
  const found = findForm(scan)
  if (!found) {
    report(explain(scan, beginnings(scan).length > 0))
    return
  }
  const { form, captures } = found
  const references = [...scan.references]
  let sound = true
  const note: Report = (finding) => {
    sound = false
    report(finding)
  }
  const options = stretch ? readOptions(source, stretch, form.options, references, note) : {}
  const body = step.fence && readFence(source, step.fence, references, note)
  checkFence(form, step, note)
  const extras: Extras<Record<string, OptionKind>> = {
    options: options as Extras<Record<string, OptionKind>>['options'],
    body,
  }
  const wrong = form.check(captures, extras) ?? wrongNarrowing(options)
  if (wrong) note({ code: 'MOLAR_S003', message: wrong, start: step.start, end: step.end, suggestions: [] })
  if (!sound) return { action: { verb: 'debug' }, options, references }
  return { action: narrowed(form.build(captures, extras), options), options, references }
}

function findForm(scan: Scan): { form: Form; captures: Record<string, unknown> } | undefined {
  for (const { verb, skipped, at } of beginnings(scan)) {
    for (const form of formsByVerb.get(verb) ?? []) {
      for (const way of form.ways) {
        scan.at = at
        scan.form = form.shown
        scan.afterWord = true
        scan.references.length = 0
        const captures = match(scan, way, skipped)
        if (captures && skipSpace(scan) === scan.end) return { form, captures }
        if (captures) miss(scan)
      }
    }
  }
  return
}

/** The verb a step begins with, or that a synonym stands for: how many words of the form are said, and where it goes on. */
function beginnings(scan: Scan): { verb: string; skipped: number; at: number }[] {
  const found = []
  scan.at = scan.start
  const word = takeLetters(scan).toLowerCase()
  if (formsByVerb.has(word)) found.push({ verb: word, skipped: 1, at: scan.at })
  for (const { said, meant } of synonyms) {
    scan.at = scan.start
    if (!takeWord(scan, said)) continue
    const words = meant.split(' ')
    found.push({ verb: (words[0] as string).toLowerCase(), skipped: words.length, at: scan.at })
  }
  return found
}

function checkFence(form: Form, step: StepSource, report: Report): void {
  if (step.fence && !form.body) {
    const { start, end } = step.fence
    report({ code: 'MOLAR_S003', message: `"${form.shown}" takes no block below it.`, start, end, suggestions: [] })
  }
  if (!step.fence && form.body === 'needed') {
    const { start, end } = step
    report({ code: 'MOLAR_S003', message: 'This step needs a fenced block below it.', start, end, suggestions: [] })
  }
}

/** nth, first and last each say which one; two of them contradict each other. */
function wrongNarrowing({ nth, first, last }: Record<string, unknown>): string | undefined {
  const said = [nth, first, last].filter((option) => option !== undefined && option !== false).length
  return said > 1 ? 'Of nth, first and last only one can hold.' : undefined
}

function narrowed(action: Action, { exact, nth, first, last }: Record<string, unknown>): Action {
  if (!('target' in action) && !('from' in action && 'target' in action.from)) return action
  const narrowing = {
    ...(exact === true && { exact: true }),
    ...(typeof nth === 'number' && { nth }),
    ...(first === true && { first: true }),
    ...(last === true && { last: true }),
  }
  if (Object.keys(narrowing).length === 0) return action
  if ('target' in action && action.target) return { ...action, target: { ...action.target, ...narrowing } } as Action
  if ('from' in action && 'target' in action.from) {
    return { ...action, from: { ...action.from, target: { ...action.from.target, ...narrowing } } }
  }
  return action
}
