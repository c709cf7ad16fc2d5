import type { Target } from '../plan.ts'
import { durationHint, durationMs, durationSuggestions } from './durations.ts'
import { nearest } from './nearest.ts'
import type { Report } from './problem.ts'
import { type Reference, scanOf, skipSpace } from './scanner.ts'
import { target } from './targets.ts'
import { isSpace } from './text.ts'
import { isDigits, isQuote, readDelimited } from './values.ts'

export interface OptionTypes {
  flag: boolean
  integer: number
  status: number
  duration: number
  text: string
  target: Target
}
export type OptionKind = keyof OptionTypes

/** What every step takes. */
const everyStep: Readonly<Record<string, OptionKind>> = { timeout: 'duration', optional: 'flag', name: 'text' }

interface Stretch {
  start: number
  end: number
}

/** The step without its options, and the options: `{…}` outside quotes, after white space, up to the end. */
export function splitOptions(source: string, start: number, end: number): { head: Stretch; options?: Stretch } {
  let at = start
  while (at < end) {
    const char = source[at] as string
    if (char === '\\') at += 2
    else if (isQuote(char) || char === '`') at = closeOf(source, at, end)
    else if (char === '{' && (at === start || isSpace(source[at - 1]))) {
      let headEnd = at
      while (headEnd > start && isSpace(source[headEnd - 1])) headEnd--
      return { head: { start, end: headEnd }, options: { start: at, end } }
    } else at++
  }
  return { head: { start, end } }
}

/** Behind the closing sign of the quotation that opens at `at`; the end where it never closes. */
function closeOf(source: string, at: number, end: number): number {
  const close = source[at] === '“' ? '”' : (source[at] as string)
  for (let next = at + 1; next < end; next++) {
    if (source[next] === '\\') next++
    else if (source[next] === close) return next + 1
  }
  return end
}

/** Reads `{key: value, …}` against what the step takes. Only well-formed options are in the answer; the rest is reported. */
export function readOptions(
  source: string,
  stretch: Stretch,
  kinds: Readonly<Record<string, OptionKind>>,
  references: Reference[],
  report: Report,
): Record<string, unknown> {
  const known: Readonly<Record<string, OptionKind>> = { ...kinds, ...everyStep }
  const values: Record<string, unknown> = {}
  for (const entry of entriesOf(source, stretch, report)) {
    const key = source.slice(entry.key.start, entry.key.end)
    const wrong = (message: string, suggestions: string[] = [], at: Stretch = entry.value ?? entry.key) =>
      report({ code: 'MOLAR_S006', message, ...at, suggestions })
    if (!Object.hasOwn(known, key)) {
      const near = nearest(key, Object.keys(known))
      wrong(`This step has no option "${key}".`, near.length > 0 ? near : Object.keys(known).sort(), entry.key)
    } else if (Object.hasOwn(values, key)) wrong(`The option "${key}" stands here twice.`, [], entry.key)
    else {
      const read = readOption(source, entry.value, known[key] as OptionKind, references)
      if ('is' in read) values[key] = read.is
      else wrong(`The option "${key}" ${read.wrong}`, read.suggestions)
    }
  }
  return values
}

interface Entry {
  key: Stretch
  value?: Stretch
}

function entriesOf(source: string, { start, end }: Stretch, report: Report): Entry[] {
  const entries: Entry[] = []
  let from = start + 1
  let colon = -1
  let at = from
  const close = () => {
    const entry = entryOf(source, from, colon, at)
    if (entry) entries.push(entry)
    else if (colon !== -1)
      report({
        code: 'MOLAR_S006',
        message: 'An option needs a key before its colon.',
        start: from,
        end: at,
        suggestions: [],
      })
  }
  while (at < end) {
    const char = source[at] as string
    if (char === '\\') at += 2
    else if (isQuote(char) || char === '`') at = closeOf(source, at, end)
    else if (char === '}') {
      close()
      const rest = trimmed(source, at + 1, end)
      if (rest)
        report({ code: 'MOLAR_S006', message: 'Options are the last thing of a step.', ...rest, suggestions: [] })
      return entries
    } else {
      if (char === ':' && colon === -1) colon = at
      if (char === ',') {
        close()
        from = at + 1
        colon = -1
      }
      at++
    }
  }
  report({ code: 'MOLAR_S006', message: 'The options are never closed by "}".', start, end, suggestions: [] })
  return []
}

function entryOf(source: string, from: number, colon: number, to: number): Entry | undefined {
  const key = trimmed(source, from, colon === -1 ? to : colon)
  if (!key) return
  const value = colon === -1 ? undefined : (trimmed(source, colon + 1, to) ?? { start: colon, end: colon + 1 })
  return value ? { key, value } : { key }
}

function trimmed(source: string, start: number, end: number): Stretch | undefined {
  while (start < end && isSpace(source[start])) start++
  while (end > start && isSpace(source[end - 1])) end--
  return start < end ? { start, end } : undefined
}

type Read = { is: unknown } | { wrong: string; suggestions: string[] }

function readOption(source: string, value: Stretch | undefined, kind: OptionKind, references: Reference[]): Read {
  const text = value ? source.slice(value.start, value.end) : ''
  switch (kind) {
    case 'flag':
      // A flag's name alone turns it on.
      if (!value || text === 'true') return { is: true }
      return text === 'false' ? { is: false } : { wrong: 'is true or false.', suggestions: ['true', 'false'] }
    case 'integer':
      if (isDigits(text) && text.length <= 6 && Number(text) > 0) return { is: Number(text) }
      return { wrong: 'is a whole number from 1 to 999999.', suggestions: ['1'] }
    case 'status':
      if (isDigits(text) && Number(text) >= 100 && Number(text) <= 599) return { is: Number(text) }
      return { wrong: 'is a status from 100 to 599.', suggestions: ['200'] }
    case 'duration': {
      const ms = durationMs(text)
      return ms !== undefined && ms > 0
        ? { is: ms }
        : { wrong: `is a duration. ${durationHint}`, suggestions: durationSuggestions(text) }
    }
    case 'text':
      return readText(source, value)
    case 'target': {
      const scan = value && scanOf(source, value.start, value.end)
      const found = scan && target(scan)
      if (!scan || !found || skipSpace(scan) < scan.end) {
        return { wrong: 'is a target.', suggestions: ['"name"', 'role "name"', '`css`'] }
      }
      references.push(...scan.references)
      return { is: found }
    }
  }
}

function readText(source: string, value: Stretch | undefined): Read {
  const text = value ? source.slice(value.start, value.end) : ''
  const first = text[0] ?? ''
  if (!value || text === ':') return { wrong: 'needs a value.', suggestions: [] }
  if (text.length > 200) return { wrong: 'has at most 200 characters.', suggestions: [] }
  if (text.includes('${')) return { wrong: 'is plain text; no ${…} in it.', suggestions: [] }
  if (!isQuote(first) && first !== '`') return { is: text }
  const scan = scanOf(source, value.start, value.end)
  const read = readDelimited(scan)
  return typeof read === 'string' && scan.at === scan.end
    ? { is: read }
    : { wrong: 'is text, in quotes where it holds a comma.', suggestions: [] }
}
