import type { Target, Value } from '../plan.ts'
import { durationHint, durationMs, durationSuggestions } from './durations.ts'
import { instantOf } from './instants.ts'
import { pressedKey } from './keys.ts'
import { nearest } from './nearest.ts'
import { type JsonPath, jsonPath } from './paths.ts'
import { method, path, pattern, type Request, request, urlPattern } from './requests.ts'
import { miss, once, peek, refuse, type Scan, type Slot, skipSpace, takeLetters, takeRun, takeWord } from './scanner.ts'
import { target } from './targets.ts'
import { isDigits, isNumber, isQuote, quoted, readDelimited, value } from './values.ts'

/** What a slot of a form gives; `<label:slot>` in a pattern, or `<slot>` where the label is the same. */
export interface SlotTypes {
  target: Target
  value: Value
  values: Value[]
  text: Value
  plain: string
  path: Value
  pattern: Value
  url: Value
  request: Request
  status: number
  integer: number
  coordinates: { latitude: number; longitude: number }
  permission: string
  method: string
  duration: number
  instant: string
  key: string
  name: string
  jsonpath: JsonPath
  reference: Value
  file: Value
  words: string
  event: { kind: string; event: string }
  what: { state?: string; noun: string }
  is: boolean
  has: boolean
  contains: boolean
  matches: boolean
}

const permissions = [
  'camera',
  'clipboard-read',
  'clipboard-write',
  'geolocation',
  'microphone',
  'midi',
  'notifications',
  'payment-handler',
  'storage-access',
]

export const slots: { readonly [Name in keyof SlotTypes]: Slot<SlotTypes[Name]> } = {
  target,
  value,
  text: quoted,
  path,
  pattern,
  url: urlPattern,
  request,
  jsonpath: jsonPath,
  /** Values with commas between them. */
  values(scan) {
    const values: Value[] = []
    do {
      const next = value(scan)
      if (next === undefined) return
      values.push(next)
    } while (takeSign(scan, ','))
    return values
  },
  /** Quoted text without references: it names something. */
  plain(scan) {
    const start = skipSpace(scan)
    const text = quoted(scan)
    if (text === undefined || typeof text === 'string')
      return text === '' ? refuse(scan, 'MOLAR_S003', start, scan.at, 'A name must not be empty.') : text
    return refuse(scan, 'MOLAR_S003', start, scan.at, 'This name is plain text; no ${…} in it.')
  },
  status(scan) {
    const { start, word } = run(scan)
    const status = Number(word)
    if (isDigits(word) && status >= 100 && status <= 599) return status
    if (!isNumber(word)) return miss(back(scan, start), '200')
    return refuse(scan, 'MOLAR_S003', start, scan.at, 'A status is a number from 100 to 599.')
  },
  integer(scan) {
    const { start, word } = run(scan)
    if (isDigits(word) && word.length <= 6) return Number(word)
    if (isNumber(word)) return refuse(scan, 'MOLAR_S003', start, scan.at, 'A count is a whole number from 0 to 999999.')
    return miss(back(scan, start), '3')
  },
  method,
  coordinates(scan) {
    const start = skipSpace(scan)
    const latitude = number(scan)
    const longitude = takeSign(scan, ',') ? number(scan) : undefined
    if (latitude === undefined || longitude === undefined) return miss(back(scan, start), '52.5, 13.4')
    if (Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180) return { latitude, longitude }
    return refuse(scan, 'MOLAR_S003', start, scan.at, 'Latitude is from -90 to 90, longitude from -180 to 180.')
  },
  permission(scan) {
    const { start, word } = run(scan)
    const permission = word.toLowerCase()
    if (permissions.includes(permission)) return permission
    if (word === '') return miss(scan, 'clipboard-read')
    const near = nearest(word, permissions)
    return refuse(
      scan,
      'MOLAR_S003',
      start,
      scan.at,
      `"${word}" is not a permission.`,
      near.length > 0 ? near : permissions,
    )
  },
  duration(scan) {
    const { start, word } = run(scan)
    const ms = durationMs(word)
    if (ms !== undefined) return ms
    if (word === '' || word[0]! < '0' || word[0]! > '9') return miss(back(scan, start), '30s')
    return refuse(scan, 'MOLAR_S003', start, scan.at, durationHint, durationSuggestions(word))
  },
  instant(scan) {
    const start = skipSpace(scan)
    const next = peek(scan)
    const text = isQuote(next) || next === '`' ? readDelimited(scan) : takeRun(scan)
    const instant = typeof text === 'string' ? instantOf(text) : undefined
    if (instant) return instant
    return refuse(scan, 'MOLAR_S003', start, scan.at, 'An instant is a date and a time with its zone.', [
      '2026-01-31T10:00:00Z',
    ])
  },
  key(scan) {
    const start = skipSpace(scan)
    const next = peek(scan)
    const text = isQuote(next) || next === '`' ? readDelimited(scan) : takeRun(scan)
    if (text === '' || text === undefined) return miss(back(scan, start), 'Enter')
    const key = typeof text === 'string' ? pressedKey(text) : { wrong: '${…}', suggestions: [] }
    if ('key' in key) return key.key
    return refuse(scan, 'MOLAR_S003', start, scan.at, `"${key.wrong}" is not a key.`, key.suggestions)
  },
  /** What a step remembers or downloads under. */
  name(scan) {
    const start = skipSpace(scan)
    const word = takeLetters(scan, '_-')
    if (word !== '' && word.length <= 64 && !isDigits(word[0] as string)) return word
    return word === ''
      ? miss(back(scan, start), 'name')
      : refuse(scan, 'MOLAR_S003', start, scan.at, 'A name starts with a letter and has at most 64 characters.')
  },
  /** A bare `${…}`. */
  reference(scan) {
    return peek(scan) === '$' ? value(scan) : miss(scan, '${…}')
  },
  file(scan) {
    const start = skipSpace(scan)
    const file = quoted(scan)
    const text = typeof file === 'string' ? file : file?.filter((part) => typeof part === 'string').join('')
    if (
      text === undefined ||
      (!['/', '\\', '\0'].some((sign) => text.includes(sign)) && !['..', '.', ''].includes(text)) ||
      (text === '' && typeof file !== 'string')
    )
      return file
    return refuse(
      scan,
      'MOLAR_S003',
      start,
      scan.at,
      'An upload is a file beside the scenario or an uploaded asset: a name, not a path.',
    )
  },
  /** The words before "Clone", as a kind: `Google Workspace Clone` is google-workspace. */
  words(scan) {
    const start = skipSpace(scan)
    const words: string[] = []
    while (words.length < 4) {
      const word = takeLetters(scan, '-')
      if (word === '') break
      words.push(word.toLowerCase())
      const behind = scan.at
      if (takeWord(scan, 'clone')) {
        scan.at = behind
        return words.join('-')
      }
    }
    return miss(back(scan, start), 'Stripe Clone')
  },
  event(scan) {
    const { start, word } = run(scan)
    const dot = word.indexOf('.')
    const named = dot > 0 && dot < word.length - 1 && [...word].every((char) => isEventPart(char))
    if (named) return { kind: word.slice(0, dot).toLowerCase(), event: word.slice(dot + 1) }
    if (word === '') return miss(scan, 'stripe.checkout.session.completed')
    return refuse(scan, 'MOLAR_S003', start, scan.at, 'A webhook is named by its clone and its event.', [
      'stripe.checkout.session.completed',
    ])
  },
  /** `active subscription`, `emails`: a state, where there are two words, and what is counted, in the singular. */
  what(scan) {
    const start = skipSpace(scan)
    const first = takeLetters(scan, '_-')
    if (first === '') return miss(back(scan, start), 'subscription')
    const behind = scan.at
    const last = takeWord(scan, 'for') || takeWord(scan, 'to') ? '' : takeLetters(scan, '_-')
    if (last !== '') return { state: first.toLowerCase(), noun: singular(last.toLowerCase()) }
    scan.at = behind
    return { noun: singular(first.toLowerCase()) }
  },
  is: polarity('is', 'is not'),
  has: polarity('has', 'does not have'),
  contains: polarity('contains', 'does not contain'),
  matches: polarity('matches', 'does not match'),
}

/** One of some words, as written in the pattern: `<state:visible|hidden>`. */
export function choice(words: readonly string[]): Slot<string> {
  return (scan) => words.find((word) => takeWord(scan, word)) ?? miss(scan, ...words)
}

/** True where the negative form stands. */
function polarity(plain: string, negative: string): Slot<boolean> {
  return once(plain, (scan) => {
    const start = scan.at
    if (negative.split(' ').every((word) => takeWord(scan, word))) return true
    scan.at = start
    return takeWord(scan, plain) ? false : miss(scan, plain, negative)
  })
}

function takeSign(scan: Scan, sign: string): boolean {
  if (peek(scan) !== sign) return false
  scan.at++
  return true
}

function number(scan: Scan): number | undefined {
  const word = takeLetters(scan, '.-')
  return isNumber(word) ? Number(word) : undefined
}

function run(scan: Scan): { start: number; word: string } {
  const start = skipSpace(scan)
  return { start, word: takeRun(scan) }
}

function back(scan: Scan, at: number): Scan {
  scan.at = at
  return scan
}

function isEventPart(char: string): boolean {
  return (
    (char >= 'a' && char <= 'z') ||
    (char >= 'A' && char <= 'Z') ||
    (char >= '0' && char <= '9') ||
    '._-:'.includes(char)
  )
}

function singular(noun: string): string {
  if (noun.endsWith('ies')) return `${noun.slice(0, -3)}y`
  return noun.endsWith('s') && !noun.endsWith('ss') && noun.length > 1 ? noun.slice(0, -1) : noun
}
