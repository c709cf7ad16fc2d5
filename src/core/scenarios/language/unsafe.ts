import type { Value } from '../plan.ts'
import type { ProblemCode } from './problem.ts'
import { isNamePart } from './scanner.ts'
import { literalStart, literalText } from './values.ts'

export interface Unsafe {
  code: ProblemCode
  message: string
}

const maxSelector = 1000
const maxPattern = 1000
/** Each `**` may try every place again; the matcher stays linear for a bounded number. */
const maxDoubleStars = 8

/** Only CSS: Playwright's other engines and its `>>` chains reach past what a scenario may say. */
export function checkSelector(css: Value): Unsafe | undefined {
  const text = literalText(css)
  if (text.trim() === '' && typeof css === 'string')
    return { code: 'MOLAR_S003', message: 'A CSS selector must not be empty.' }
  if (text.length > maxSelector) {
    return { code: 'MOLAR_S011', message: `A CSS selector has at most ${maxSelector} characters.` }
  }
  const start = literalStart(css).trimStart()
  if (start.startsWith('//') || start.startsWith('..') || namesEngine(start) || text.includes('>>')) {
    return { code: 'MOLAR_S011', message: 'Only CSS selectors stand in backticks: no XPath, no other engine, no ">>".' }
  }
  return undefined
}

/** `text=`, `xpath=`, `internal:role=`: letters and a few signs, then an equals sign. */
function namesEngine(selector: string): boolean {
  let at = 0
  while (at < selector.length && isNamePart(selector[at] as string, '_-:+*')) at++
  return at > 0 && selector[at] === '='
}

/** Globs over path and query. */
export function checkPattern(pattern: Value): Unsafe | undefined {
  const text = literalText(pattern)
  if (text.length > maxPattern)
    return { code: 'MOLAR_S011', message: `A pattern has at most ${maxPattern} characters.` }
  if (text.split('**').length - 1 > maxDoubleStars) {
    return { code: 'MOLAR_S011', message: `A pattern has "**" at most ${maxDoubleStars} times.` }
  }
  return undefined
}
