import type { RequestPattern, Value } from '../plan.ts'
import { nearest } from './nearest.ts'
import { miss, peek, refuse, type Scan, type Slot, skipSpace, takeLetters } from './scanner.ts'
import { checkPattern } from './unsafe.ts'
import { isQuote, literalStart, readBare, readDelimited } from './values.ts'

export type Request = RequestPattern

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']

/** `/path`, `https://…` or what begins with a reference; bare, quoted or in backticks. */
export const path: Slot<Value> = (scan) => {
  const start = skipSpace(scan)
  const read = readPlace(scan)
  if (read === undefined) return
  const text = literalStart(read)
  const from = typeof read !== 'string' && typeof read[0] !== 'string'
  if (from || isPath(text)) return read
  const suggestions = text.includes(':') || text.startsWith('//') ? ['/path', 'https://…'] : [`/${text}`]
  return refuse(
    scan,
    'MOLAR_S003',
    start,
    scan.at,
    'An address is a path such as /cart, or an http(s) URL.',
    suggestions,
  )
}

/** What a request or an address is matched with: a path, a glob or an absolute URL. */
export const pattern: Slot<Value> = (scan) => {
  const start = skipSpace(scan)
  const read = readPlace(scan)
  if (read === undefined) return
  const unsafe = checkPattern(read)
  if (unsafe) return refuse(scan, unsafe.code, start, scan.at, unsafe.message)
  const text = literalStart(read)
  if (typeof read !== 'string' || isPath(text) || text.startsWith('*')) return read
  return refuse(scan, 'MOLAR_S003', start, scan.at, 'A pattern is a path such as /api/*, or an http(s) URL.', [
    `/${text}`,
    '**',
  ])
}

/** What an address is compared with: any text, for `contains` too. */
export const urlPattern: Slot<Value> = (scan) => {
  const start = skipSpace(scan)
  const read = readPlace(scan)
  if (read === undefined) return
  const unsafe = checkPattern(read)
  return unsafe ? refuse(scan, unsafe.code, start, scan.at, unsafe.message) : read
}

/** `POST /api/orders`; without a method, or with `*`, any. */
export const request: Slot<Request> = (scan) => {
  const start = skipSpace(scan)
  let method = '*'
  if (scan.source[start] === '*' && (scan.source[start + 1] ?? '').trim() === '') scan.at++
  else {
    const word = takeLetters(scan)
    if (word !== '' && peekBehind(scan) === '') {
      method = word.toUpperCase()
      if (!methods.includes(method)) return wrongMethod(scan, start, word)
    } else scan.at = start
  }
  const read = pattern(scan)
  return read === undefined ? undefined : { method, pattern: read }
}

/** The method of a request that is made; it must be said. */
export const method: Slot<string> = (scan) => {
  const start = skipSpace(scan)
  const word = takeLetters(scan)
  if (methods.includes(word.toUpperCase())) return word.toUpperCase()
  scan.at = start
  return word === '' ? miss(scan, ...methods) : wrongMethod(scan, start, word)
}

function wrongMethod(scan: Scan, start: number, word: string): undefined {
  const near = nearest(word, methods)
  const suggestions = near.length > 0 ? near : ['GET', 'POST']
  return refuse(scan, 'MOLAR_S003', start, start + word.length, `"${word}" is not an HTTP method.`, suggestions)
}

function peekBehind(scan: Scan): string {
  return (scan.source[scan.at] ?? '').trim()
}

function readPlace(scan: Scan): Value | undefined {
  const next = peek(scan)
  const read = isQuote(next) || next === '`' ? readDelimited(scan) : readBare(scan)
  return read === '' ? miss(scan, '/path') : read
}

/** `//host` would leave the origin without saying so. */
function isPath(text: string): boolean {
  const lower = text.slice(0, 8).toLowerCase()
  return (text.startsWith('/') && !text.startsWith('//')) || lower.startsWith('http://') || lower.startsWith('https://')
}
