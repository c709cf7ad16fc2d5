import type { Value } from '../plan.ts'
import { isNamePart, miss, once, peek, refuse, type Scan, type Slot, skipSpace } from './scanner.ts'
import { isSpace } from './text.ts'

/** Where each quotation mark closes. */
const closing: Readonly<Record<string, string>> = { '"': '"', '“': '”', '`': '`' }
const escapable = '"“”`{}$\\'

/** Collects text and references; a Value without a reference is plain text. */
export function valueParts(): { text(part: string): void; reference(name: string): void; value(): Value } {
  const parts: (string | { ref: string })[] = []
  let pending = ''
  const flush = () => {
    if (pending !== '') parts.push(pending)
    pending = ''
  }
  return {
    text: (part) => {
      pending += part
    },
    reference: (name) => {
      flush()
      parts.push({ ref: name })
    },
    value: () => {
      if (parts.length === 0) return pending
      flush()
      return parts
    },
  }
}

/** `${name}` at `at`: notes the reference and gives where it ends. */
export function readReference(scan: Scan, at: number): { name: string; end: number } | undefined {
  let end = at + 2
  while (end < scan.end && scan.source[end] !== '}' && scan.source[end] !== '\n') end++
  if (scan.source[end] !== '}' || end >= scan.end) {
    return refuse(scan, 'MOLAR_S005', at, end, 'This reference is never closed by "}".')
  }
  const name = scan.source.slice(at + 2, end).trim()
  end++
  if (!isReferenceName(name)) {
    return refuse(scan, 'MOLAR_S005', at, end, 'A reference holds one name, such as ${user.email} or ${secrets.TOKEN}.')
  }
  scan.references.push({ name, start: at, end })
  return { name, end }
}

export function isReferenceName(name: string): boolean {
  if (
    name === '' ||
    name === '__proto__' ||
    name.length > 200 ||
    name.startsWith('.') ||
    name.endsWith('.') ||
    name.includes('..')
  )
    return false
  for (const char of name) if (!isNamePart(char, '_-.')) return false
  return true
}

/** Text between quotation marks or backticks; the cursor stands on the opening one. */
export function readDelimited(scan: Scan): Value | undefined {
  const { source, end } = scan
  const start = scan.at
  const close = closing[source[start] as string] as string
  const parts = valueParts()
  let at = start + 1
  let from = at
  while (at < end) {
    const char = source[at] as string
    if (char === close) {
      parts.text(source.slice(from, at))
      scan.at = at + 1
      return parts.value()
    }
    if (char === '\\' && at + 1 < end && escapable.includes(source[at + 1] as string)) {
      parts.text(source.slice(from, at))
      from = at + 1
      at += 2
    } else if (char === '$' && source[at + 1] === '{') {
      const reference = readReference(scan, at)
      if (!reference) return
      parts.text(source.slice(from, at))
      parts.reference(reference.name)
      at = from = reference.end
    } else if (char === '\n') {
      // A step that goes on in the next line: the break and its indentation are one space.
      parts.text(`${source.slice(from, at).trimEnd()} `)
      while (at < end && isSpace(source[at])) at++
      from = at
    } else at++
  }
  return refuse(
    scan,
    'MOLAR_S003',
    start,
    end,
    `The ${close === '`' ? 'backtick' : 'quotation mark'} opened here is never closed.`,
  )
}

export function isQuote(char: string): boolean {
  return char === '"' || char === '“'
}

/** `"…"`, as a person sees it. */
export const quoted: Slot<Value> = once('quoted', (scan) => {
  if (isQuote(peek(scan))) return readDelimited(scan)
  return miss(scan, '"…"')
})

/** `"…"`, a literal in backticks, a bare `${…}`, or a bare number, true, false or null. */
export const value: Slot<Value> = once('value', (scan) => {
  const next = peek(scan)
  if (isQuote(next) || next === '`') return readDelimited(scan)
  if (next === '$' && scan.source[scan.at + 1] === '{') {
    const reference = readReference(scan, scan.at)
    if (!reference) return
    scan.at = reference.end
    return [{ ref: reference.name }]
  }
  return bareLiteral(scan) ?? miss(scan, '"…"', '`…`', '${…}')
})

function bareLiteral(scan: Scan): string | undefined {
  const start = scan.at
  let end = start
  while (end < scan.end && isNamePart(scan.source[end] as string, '.-')) end++
  const word = scan.source.slice(start, end)
  if (!['true', 'false', 'null'].includes(word) && !isNumber(word)) return
  scan.at = end
  return word
}

/** A plain decimal number, such as 3, -0.5. */
export function isNumber(word: string): boolean {
  const digits = word.startsWith('-') ? word.slice(1) : word
  const [whole = '', part, ...more] = digits.split('.')
  return more.length === 0 && isDigits(whole) && (part === undefined || isDigits(part))
}

export function isDigits(word: string): boolean {
  if (word === '') return false
  for (const char of word) if (char < '0' || char > '9') return false
  return true
}

/** Text up to the next white space with `${…}` inside, for paths and patterns. */
export function readBare(scan: Scan): Value | undefined {
  const parts = valueParts()
  let from = skipSpace(scan)
  let at = from
  while (at < scan.end && !isSpace(scan.source[at])) {
    if (scan.source[at] === '$' && scan.source[at + 1] === '{') {
      const reference = readReference(scan, at)
      if (!reference) return
      parts.text(scan.source.slice(from, at))
      parts.reference(reference.name)
      at = from = reference.end
    } else at++
  }
  parts.text(scan.source.slice(from, at))
  scan.at = at
  return parts.value()
}

/** The literal text a value begins with, '' where a reference comes first. */
export function literalStart(of: Value): string {
  if (typeof of === 'string') return of
  return typeof of[0] === 'string' ? of[0] : ''
}

/** All of a value's literal text, references left out: what can be checked before the run. */
export function literalText(of: Value): string {
  return typeof of === 'string' ? of : of.filter((part) => typeof part === 'string').join('')
}
