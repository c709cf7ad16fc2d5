import type { Finding, ProblemCode } from './problem.ts'
import { isSpace } from './text.ts'

/** `${name}` as it stands in the source. */
export interface Reference {
  name: string
  start: number
  end: number
}

/** The furthest any form got: the words it could have gone on with, or what was clearly meant and is wrong. */
export interface Furthest {
  at: number
  words: Set<string>
  /** The forms that got this far, as people read them. */
  forms: Set<string>
  refusal: Finding | undefined
}

/** A cursor over one stretch of the source. Forms are tried one after the other from the same place. */
export interface Scan {
  readonly source: string
  readonly start: number
  at: number
  readonly end: number
  /** After a word of the language an underscore counts as a space. */
  afterWord: boolean
  readonly references: Reference[]
  readonly furthest: Furthest
  /** The form that is being tried. */
  form: string
  /** What a costly slot found at a place, for the next form that asks. */
  readonly seen: Map<string, Seen>
}

export interface Seen {
  result: unknown
  at: number
  references: Reference[]
}

/** Reads one thing at the cursor; undefined, with the reason noted in `furthest`, where it does not stand. */
export type Slot<T> = (scan: Scan) => T | undefined

export function scanOf(source: string, start: number, end: number): Scan {
  const furthest: Furthest = { at: start, words: new Set(), forms: new Set(), refusal: undefined }
  return { source, start, at: start, end, afterWord: false, references: [], furthest, form: '', seen: new Map() }
}

export function skipSpace(scan: Scan): number {
  while (scan.at < scan.end && isSpace(scan.source[scan.at])) scan.at++
  return scan.at
}

/** The next character after white space, '' at the end. */
export function peek(scan: Scan): string {
  skipSpace(scan)
  return scan.at < scan.end ? (scan.source[scan.at] as string) : ''
}

/** Notes that `word` would have fitted here. */
export function miss(scan: Scan, ...words: string[]): undefined {
  const { furthest } = scan
  const at = skipSpace(scan)
  if (at < furthest.at) return
  if (at > furthest.at) reset(furthest, at)
  for (const word of words) furthest.words.add(word)
  if (scan.form !== '') furthest.forms.add(scan.form)
}

/** Notes that what stands here is meant, and wrong. */
export function refuse(
  scan: Scan,
  code: ProblemCode,
  start: number,
  end: number,
  message: string,
  suggestions: string[] = [],
): undefined {
  const { furthest } = scan
  if (start < furthest.at) return
  if (start > furthest.at) reset(furthest, start)
  furthest.refusal ??= { code, start, end, message, suggestions }
}

function reset(furthest: Furthest, at: number): void {
  furthest.at = at
  furthest.words.clear()
  furthest.forms.clear()
  furthest.refusal = undefined
}

/** A word of the language, without regard to case, whole. Quiet: it does not say that it would have fitted. */
export function takeWord(scan: Scan, word: string): boolean {
  let at = scan.at
  while (at < scan.end && (isSpace(scan.source[at]) || (scan.afterWord && scan.source[at] === '_'))) at++
  const end = at + word.length
  if (end > scan.end || scan.source.slice(at, end).toLowerCase() !== word.toLowerCase()) return false
  if (end < scan.end && isWordPart(scan.source[end] as string)) return false
  scan.at = end
  scan.afterWord = true
  return true
}

/** What stands here up to the next white space, '' at the end; the cursor moves behind it. */
export function takeRun(scan: Scan): string {
  const start = skipSpace(scan)
  while (scan.at < scan.end && !isSpace(scan.source[scan.at])) scan.at++
  return scan.source.slice(start, scan.at)
}

/** Letters, digits and `also`, from the cursor on, '' where none stand. */
export function takeLetters(scan: Scan, also = ''): string {
  const start = skipSpace(scan)
  while (scan.at < scan.end && isNamePart(scan.source[scan.at] as string, also)) scan.at++
  return scan.source.slice(start, scan.at)
}

export function isNamePart(char: string, also = ''): boolean {
  return isWordPart(char, false) || (also !== '' && also.includes(char))
}

/** A hyphen belongs to a word, an underscore ends one: `Advance_clock` is two words. */
function isWordPart(char: string, hyphen = true): boolean {
  return (
    (char >= 'a' && char <= 'z') ||
    (char >= 'A' && char <= 'Z') ||
    (char >= '0' && char <= '9') ||
    (hyphen && char === '-')
  )
}

/** Remembers what `slot` found at each place of this step, so that many forms cost one reading. */
export function once<T>(key: string, slot: Slot<T>): Slot<T> {
  return (scan) => {
    skipSpace(scan)
    const id = `${key}@${scan.at}`
    const known = scan.seen.get(id)
    if (known) {
      if (known.result === undefined && scan.furthest.at === scan.at && scan.form !== '')
        scan.furthest.forms.add(scan.form)
      scan.at = known.at
      scan.references.push(...known.references)
      return known.result as T | undefined
    }
    const before = scan.references.length
    const result = slot(scan)
    scan.seen.set(id, { result, at: scan.at, references: scan.references.slice(before) })
    return result
  }
}
