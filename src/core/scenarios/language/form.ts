import type { Action } from '../plan.ts'
import type { Body } from './fences.ts'
import type { OptionKind, OptionTypes } from './options.ts'
import { miss, type Scan, type Slot, takeWord } from './scanner.ts'
import { choice, type SlotTypes, slots } from './slots.ts'

type Split<S extends string> = S extends `${infer A}|${infer B}` ? A | Split<B> : S
type TypeOf<S extends string> = S extends keyof SlotTypes
  ? SlotTypes[S]
  : S extends `${string}|${string}`
    ? Split<S>
    : never
type Labelled<L extends string> = L extends `${infer Label}:${infer S}`
  ? { [Key in Label]: TypeOf<S> }
  : { [Key in L]: TypeOf<L> }
type Inside<P extends string> = P extends `${string}<${infer L}>${infer Rest}` ? Labelled<L> & Inside<Rest> : unknown
/** What a pattern captures: `Fill <target> with <value>` gives {target, value}; what stands in brackets may be absent. */
export type Captures<P extends string> = P extends `${infer A}[${infer B}]${infer C}`
  ? Captures<A> & Partial<Inside<B>> & Captures<C>
  : Inside<P>

type Options<O extends Record<string, OptionKind>> = { [Key in keyof O]?: OptionTypes[O[Key]] }

/** What else a step brings: its own options, and the fenced block below it. */
export interface Extras<O extends Record<string, OptionKind>> {
  options: Options<O>
  body: Body | undefined
}

export interface Details<P extends string, O extends Record<string, OptionKind>> {
  /** Other ways to say it; they capture the same. */
  also?: readonly string[]
  /** Options beside the ones that every step takes; with a target also `exact`, `nth`, `first`, `last`. */
  options?: O
  /** What a fenced block below the step is: 'needed' or 'allowed'. */
  body?: 'needed' | 'allowed'
  /** For targets that are counted: nth, first and last would make no sense. */
  counted?: boolean
  /** A reason why the captured values do not fit together, if there is one. */
  check?: (captures: Captures<P>, extras: Extras<O>) => string | undefined
}

type Item = { word: string } | { label: string; slot: Slot<unknown> } | { group: Item[] }

/** One sentence of the language. */
export interface Form {
  /** As people read it. */
  shown: string
  ways: Item[][]
  verb: string
  options: Readonly<Record<string, OptionKind>>
  body: 'needed' | 'allowed' | undefined
  build(captures: Record<string, unknown>, extras: Extras<Record<string, OptionKind>>): Action
  check(captures: Record<string, unknown>, extras: Extras<Record<string, OptionKind>>): string | undefined
}

/** Makes a form of its pattern and of what it means. Words stand for themselves, `<…>` for slots, `[…]` may be left out. */
export function form<const P extends string, O extends Record<string, OptionKind> = Record<never, never>>(
  pattern: P,
  build: (captures: Captures<P>, extras: Extras<O>) => Action,
  details: Details<P, O> = {},
): Form {
  const narrowing: Record<string, OptionKind> = !pattern.includes('<target>')
    ? {}
    : details.counted
      ? { exact: 'flag' }
      : { exact: 'flag', nth: 'integer', first: 'flag', last: 'flag' }
  return {
    shown: showPattern(pattern),
    ways: [pattern, ...(details.also ?? [])].map(readPattern),
    verb: (pattern.split(' ')[0] as string).toLowerCase(),
    options: { ...narrowing, ...details.options },
    body: details.body,
    build: build as Form['build'],
    check: (details.check as Form['check'] | undefined) ?? (() => undefined),
  }
}

/** Matches one way of a form from the cursor to the end of the step; what it captured, or undefined. */
export function match(scan: Scan, items: readonly Item[], from: number): Record<string, unknown> | undefined {
  const captures: Record<string, unknown> = {}
  for (let at = from; at < items.length; at++) if (!take(scan, items[at] as Item, captures)) return
  return captures
}

function take(scan: Scan, item: Item, captures: Record<string, unknown>): boolean {
  if ('word' in item) {
    if (takeWord(scan, item.word)) return true
    miss(scan, item.word)
    return false
  }
  if ('slot' in item) {
    const found = item.slot(scan)
    // Only words of the language run together with underscores.
    scan.afterWord = false
    captures[item.label] = found
    return found !== undefined
  }
  const [first, ...rest] = item.group as [Item, ...Item[]]
  if (!take(scan, first, captures)) return 'word' in first
  return rest.every((one) => take(scan, one, captures))
}

function readPattern(pattern: string): Item[] {
  const items: Item[] = []
  let group: Item[] | undefined
  for (const part of pattern.split(' ')) {
    const opens = part.startsWith('[')
    const closes = part.endsWith(']')
    if (opens) {
      group = []
      items.push({ group })
    }
    ;(group ?? items).push(readItem(part.slice(opens ? 1 : 0, closes ? -1 : undefined)))
    if (closes) group = undefined
  }
  return items
}

function readItem(part: string): Item {
  if (!part.startsWith('<')) return { word: part }
  const [label = '', named] = part.slice(1, -1).split(':')
  const slot = named ?? label
  if (slot.includes('|')) return { label, slot: choice(slot.split('|')) }
  return { label, slot: slots[slot as keyof SlotTypes] }
}

/** How people see a slot; `<slot>` where nothing else is said. */
const shown: Readonly<Record<string, string>> = {
  text: '"…"',
  plain: '"name"',
  file: '"file.pdf"',
  jsonpath: '$.path',
  reference: '${name}',
  url: '<path>',
  request: 'POST <path>',
  words: '<kind>',
  event: '<kind>.<event>',
  what: '<state> <noun>',
  integer: '<number>',
  values: '<value>, <value>',
}

function showPattern(pattern: string): string {
  const show = (part: string): string => {
    const open = part.indexOf('<')
    const close = part.indexOf('>')
    if (open === -1) return part
    const inner = part.slice(open + 1, close)
    const slot = inner.slice(inner.indexOf(':') + 1)
    const plain = slot.includes('|') || ['is', 'has', 'contains', 'matches'].includes(slot)
    return part.slice(0, open) + (plain ? slot : (shown[slot] ?? `<${slot}>`)) + part.slice(close + 1)
  }
  return pattern.split(' ').map(show).join(' ')
}
