import type { Target } from '../plan.ts'
import { ariaNodes } from './aria.ts'
import type { Candidate } from './failure.ts'
import { clipText, StepFailure } from './failure.ts'
import type { Sighting } from './find.ts'
import { foldText } from './matching.ts'
import type { Want } from './stages.ts'
import type { SessionState } from './state.ts'
import { currentPage, currentRoot, textOf } from './state.ts'
import { describeTarget } from './targets.ts'
import { boundedBy, inWords } from './waiting.ts'

const mostCandidates = 5

const wantInWords: Partial<Record<Want, string>> = {
  fill: ' that can be filled',
  value: ' that holds a value',
  check: ' that can be checked',
  select: ' with choices',
  frame: ' that is a frame',
}

/** The failure for a target that did not come, with the nearest things on the page. */
export async function notFoundFailure(
  state: SessionState,
  target: Target,
  want: Want,
  waitedMs: number,
  total: number,
): Promise<StepFailure> {
  const name = describeTarget(target)
  const candidates = await nearestTo(state, target, want)
  const few = total > 0 ? `Only ${total} match ${name}` : `Nothing${wantInWords[want] ?? ''} matches ${name}`
  return new StepFailure(
    'action',
    `${few} on ${currentPage(state).url()} (waited ${inWords(waitedMs)}).${listed(candidates)}`,
    {
      expected: name,
      actual: total > 0 ? `${total} found` : 'not found',
      candidates,
      ...(candidates[0] ? { hint: `Did you mean ${candidates[0].locator}?` } : {}),
    },
  )
}

/** The failure for a target that several elements match. */
export async function ambiguousFailure(state: SessionState, { locator, count, about }: Sighting): Promise<StepFailure> {
  const name = describeTarget(about)
  const described = await boundedBy(locator.evaluateAll(describeElements), 1000, () => []).catch(() => [])
  const candidates = described.slice(0, mostCandidates).map((description, index) => ({
    description,
    locator: `${describeTarget({ ...about, within: undefined })} {nth: ${index + 1}}`,
    why: 'matches as well',
  }))
  return new StepFailure(
    'action',
    `${count} elements match ${name} on ${currentPage(state).url()}.${listed(candidates)}`,
    {
      expected: `one ${name}`,
      actual: `${count} of them`,
      candidates,
      hint: 'Narrow it with a role, with `in <target>`, or with one of {nth}, {first}, {last}, {exact}.',
    },
  )
}

function listed(candidates: Candidate[]): string {
  if (candidates.length === 0) return ''
  return ` There ${candidates.length === 1 ? 'is' : 'are'}: ${candidates.map((one) => one.description).join('; ')}.`
}

// Runs in the page.
function describeElements(elements: Element[]): string[] {
  return elements.slice(0, 6).map((element) => {
    const kept = ['id', 'name', 'type', 'role', 'href', 'aria-label', 'data-testid']
    const marks = kept.filter((key) => element.hasAttribute(key)).map((key) => ` ${key}="${element.getAttribute(key)}"`)
    const text = (element.textContent ?? '').replace(/\s+/g, ' ').trim().slice(0, 60)
    const row = element.closest('tr,li,[role=row],[role=listitem],section,form,dialog')
    const around = row && row !== element ? (row.textContent ?? '').replace(/\s+/g, ' ').trim().slice(0, 60) : ''
    return `<${element.tagName.toLowerCase()}${marks.join('')}>${text}${around && around !== text ? ` (within "${around}")` : ''}`
  })
}

async function nearestTo(state: SessionState, target: Target, want: Want): Promise<Candidate[]> {
  const wanted = wantedName(state, target)
  const role = target.by === 'role' ? target.role : undefined
  const snapshot = await boundedBy(
    currentRoot(state).locator('css=body').ariaSnapshot({ timeout: 1000 }),
    1500,
    () => '',
  ).catch(() => '')
  const scored = ariaNodes(snapshot).flatMap((node) => {
    const name = node.name ?? node.text ?? ''
    const score = (wanted === '' ? 0 : likeness(wanted, name)) + roleBonus(node.role, role, want)
    return name !== '' && score >= 0.4
      ? [{ role: node.role, name: clipText(name, 80), score, sameRole: node.role === role }]
      : []
  })
  const best = scored.sort((a, b) => b.score - a.score).slice(0, mostCandidates * 2)
  const candidates = best.map(({ role: shown, name, sameRole }) => {
    const locator = shown === 'text' ? `"${name}"` : `${shown} "${name}"`
    return { description: locator, locator, why: sameRole ? 'same role, similar name' : 'similar name' }
  })
  return candidates
    .filter((one, at) => candidates.findIndex((other) => other.locator === one.locator) === at)
    .slice(0, mostCandidates)
}

function wantedName(state: SessionState, target: Target): string {
  if (target.by === 'name') return textOf(state, target.name)
  if (target.by === 'role') return target.name === undefined ? '' : textOf(state, target.name)
  // A selector's words often are the words on the page: "#pay-now", "[data-testid=pay-now]".
  const written = target.by === 'css' ? textOf(state, target.css) : textOf(state, target.testid)
  return written.replace(/[^\p{L}\p{N}]+/gu, ' ').trim()
}

const fillableRoles = new Set(['textbox', 'searchbox', 'spinbutton', 'combobox'])
const pressableRoles = new Set(['button', 'link', 'menuitem', 'tab', 'checkbox', 'radio', 'option', 'switch'])

function roleBonus(role: string, wantedRole: string | undefined, want: Want): number {
  if (wantedRole !== undefined) return role === wantedRole ? 0.45 : 0
  if (want === 'fill' || want === 'value') return fillableRoles.has(role) ? 0.3 : 0
  return want === 'click' && pressableRoles.has(role) ? 0.15 : 0
}

/** 0 to 1: shared pairs of letters (Dice), and a floor where one holds the other. */
function likeness(left: string, right: string): number {
  const [a, b] = [foldText(left), foldText(right)]
  if (a === b) return 1
  if (a === '' || b === '') return 0
  const dice = sharedPairs(letterPairs(a), letterPairs(b))
  return a.includes(b) || b.includes(a) ? Math.max(dice, 0.5) : dice
}

function letterPairs(text: string): string[] {
  const short = ` ${text.slice(0, 200)} `
  return Array.from({ length: short.length - 1 }, (_, at) => short.slice(at, at + 2))
}

function sharedPairs(left: string[], right: string[]): number {
  const counts = new Map<string, number>()
  for (const pair of left) counts.set(pair, (counts.get(pair) ?? 0) + 1)
  let shared = 0
  for (const pair of right) {
    const rest = counts.get(pair) ?? 0
    if (rest > 0) shared += 1
    counts.set(pair, rest - 1)
  }
  return (2 * shared) / (left.length + right.length)
}
