import type { Locator } from 'playwright-core'
import type { Target } from '../plan.ts'
import { isTimeout, plainReason, StepFailure } from './failure.ts'
import { ambiguousFailure, notFoundFailure } from './nearest.ts'
import type { AriaRole, Stage, Want } from './stages.ts'
import { cssStage, firstStage, interactiveRoles, laterStages, nativeRoles, roleStage, stagesForRole } from './stages.ts'
import type { SessionState } from './state.ts'
import { currentPage, currentRoot, textOf } from './state.ts'
import { describeTarget } from './targets.ts'
import { unseen } from './unseen.ts'
import type { Deadline } from './waiting.ts'
import { boundedBy, inWords, isOver, pause, pollUntil, timeLeft } from './waiting.ts'

/** What one look at the page found. With `count` 1 the locator names exactly one element. */
export interface Sighting {
  locator: Locator
  count: number
  /** How many there were before nth, first or last chose. */
  total: number
  stage?: Stage
  /** The target that decided: the one asked for, or the container that was missing or ambiguous. */
  about: Target
}

/** How long a match that a better one may still replace is held back: a late label is not lost to early text. */
const weakMatchGrace = 300
/** Two of a kind may be a moment of an animation; longer than this they are two. */
const ambiguityGrace = 1000

/** One look, no waiting. `seen` false takes hidden elements too. */
export async function lookFor(state: SessionState, target: Target, want: Want, seen = true): Promise<Sighting> {
  let scope: Locator | undefined
  if (target.within) {
    const outer = await lookFor(state, target.within, 'container', seen)
    if (outer.count !== 1) return outer
    scope = outer.locator
  }
  const onlySeen = seen && want !== 'file'
  const place = (stage: Stage) => {
    const inside = scope
      ? scope.locator(stage.locator)
      : state.frame
        ? state.frame.locator(stage.locator)
        : stage.locator
    return onlySeen ? visibleOnly(state, inside, target) : inside
  }
  const hit = await firstHit(state, target, want, place)
  if (!hit) return { locator: currentRoot(state).locator('css=body'), count: 0, total: 0, about: target }
  return choose(state, target, want, hit)
}

// A choice inside a closed <select> has no box of its own, and still can be seen by opening it.
function visibleOnly(state: SessionState, locator: Locator, target: Target): Locator {
  const visible = locator.filter({ visible: true })
  const mayBeOption = (target.by === 'role' && target.role === 'option') || target.by === 'css'
  return mayBeOption ? visible.or(locator.and(currentPage(state).locator('css=select option'))) : visible
}

interface Hit {
  stage: Stage
  locator: Locator
  count: number
}

type Place = (stage: Stage) => Locator

async function firstHit(state: SessionState, target: Target, want: Want, place: Place): Promise<Hit | undefined> {
  const page = currentPage(state)
  const exact = target.exact === true
  if (target.by === 'css') return firstOf([cssStage(page, textOf(state, target.css))], place)
  if (target.by === 'testid') {
    return firstOf([{ how: 'given', locator: page.getByTestId(textOf(state, target.testid)), whole: true }], place)
  }
  if (target.by === 'role') {
    const name = target.name === undefined ? undefined : textOf(state, target.name)
    for (const stage of stagesForRole(page, target.role, name, exact)) {
      const hit = await firstOf([stage], place)
      if (hit) return hit
    }
    return undefined
  }
  return byNameAlone(state, textOf(state, target.name), want, exact, place)
}

async function byNameAlone(state: SessionState, name: string, want: Want, exact: boolean, place: Place) {
  const page = currentPage(state)
  let otherRoles: AriaRole[] | undefined
  for (const whole of exact ? [true] : [true, false]) {
    const first = firstStage(page, name, want, whole, exact)
    const hit = await firstOf([first], place)
    if (hit) return hit
    if (want === 'see' || want === 'click') otherRoles ??= await rolesOnPage(state)
    const byRole = otherRoles?.length ? [roleStage(page, otherRoles, name, want, whole, exact)] : []
    const later = await firstOf([...byRole, ...laterStages(page, name, want, whole, exact)], place)
    if (later) return later
  }
  return undefined
}

// Which interactive roles are there at all: one cheap question instead of a pass over the page for each role.
async function rolesOnPage(state: SessionState): Promise<AriaRole[]> {
  const marked = currentRoot(state).locator('css=[role],option,summary')
  const present = await marked.evaluateAll((elements) => [
    ...new Set(elements.map((element) => element.getAttribute('role')?.trim().split(/\s+/)[0] ?? element.tagName)),
  ])
  const roles = present.map((one) => nativeRoles[one.toUpperCase()] ?? (one.toLowerCase() as AriaRole))
  return [...new Set(roles)].filter((role) => interactiveRoles.includes(role))
}

/** The first stage that matches anything; all are asked at once, in one burst. */
async function firstOf(stages: Stage[], place: Place): Promise<Hit | undefined> {
  const placed = stages.map((stage) => ({ stage, locator: place(stage) }))
  const counts = await Promise.all(placed.map(({ locator }) => locator.count()))
  const at = counts.findIndex((count) => count > 0)
  return at < 0 ? undefined : { ...placed[at]!, count: counts[at]! }
}

async function choose(state: SessionState, target: Target, want: Want, hit: Hit): Promise<Sighting> {
  const { locator, count, stage } = hit
  const base = { total: count, stage, about: target }
  if (target.nth !== undefined)
    return { ...base, locator: locator.nth(target.nth - 1), count: count >= target.nth ? 1 : 0 }
  if (target.first) return { ...base, locator: locator.first(), count: 1 }
  if (target.last) return { ...base, locator: locator.last(), count: 1 }
  if (count > 1 && target.by === 'name') {
    const narrowed = await narrow(state, want, locator)
    if (narrowed) return { ...base, locator: narrowed, count: 1, total: 1 }
  }
  return { ...base, locator, count }
}

// A tab that holds a link of the same name is one thing to a person: the inner one. And a click prefers what is made for it.
async function narrow(state: SessionState, want: Want, locator: Locator): Promise<Locator | undefined> {
  const innermost = locator.filter({ hasNot: locator })
  if ((await innermost.count()) === 1) return innermost
  if (want !== 'click') return undefined
  const page = currentPage(state)
  const pressable = locator.and(page.getByRole('button').or(page.getByRole('link')))
  return (await pressable.count()) === 1 ? pressable : undefined
}

/** Waits for exactly one element. Throws a StepFailure that lists what was there instead. */
export async function findOne(state: SessionState, target: Target, want: Want, deadline: Deadline): Promise<Locator> {
  const patience: Patience = {}
  let last: Sighting | undefined
  const found = await pollUntil(deadline, async () => {
    // What is then done shows in the trace; that it was looked for first does not.
    last = await unseen(currentPage(state), () => lookSafely(state, target, want))
    return last && (await settled(last, want, patience, deadline)) ? last : undefined
  })
  if (found && found.count === 1) return found.locator
  if (last && last.count > 1) throw await ambiguousFailure(state, last)
  throw await notFoundFailure(state, last?.about ?? target, want, deadline.ms, last?.total ?? 0)
}

interface Patience {
  weakSince?: number
  manySince?: number
}

// True when this sighting is to be taken as the answer, also as the answer "there are several".
async function settled(sighting: Sighting, want: Want, patience: Patience, deadline: Deadline): Promise<boolean> {
  const now = performance.now()
  if (sighting.count === 0) return false
  if (sighting.count > 1) {
    patience.manySince ??= now
    return now - patience.manySince >= ambiguityGrace
  }
  patience.manySince = undefined
  if (!(await isWeak(sighting, want))) return true
  patience.weakSince ??= now
  return now - patience.weakSince >= weakMatchGrace || isOver(deadline)
}

async function isWeak({ stage, locator }: Sighting, want: Want): Promise<boolean> {
  if (!stage || want === 'see' || want === 'container') return false
  if (!stage.whole) return true
  if (stage.how !== 'text') return false
  const pressable = await locator
    .evaluate(
      (element) =>
        element.closest('a,button,label,summary,option,[onclick],[role],[tabindex]') !== null ||
        getComputedStyle(element).cursor === 'pointer',
      undefined,
      { timeout: 500 },
    )
    .catch(() => false)
  return !pressable
}

// While a page is being replaced its old document cannot be asked: that is "not yet", not a failure.
async function lookSafely(state: SessionState, target: Target, want: Want): Promise<Sighting | undefined> {
  try {
    return await lookFor(state, target, want)
  } catch (error) {
    if (error instanceof StepFailure) throw error
    return undefinedWhilePageChanges(error, target)
  }
}

/** undefined where the page was on its way elsewhere; a StepFailure for a selector that the browser does not take. */
export function undefinedWhilePageChanges(error: unknown, target: Target): undefined {
  const reason = plainReason(error)
  if (/while parsing|selector|Unexpected token/i.test(reason) && !/frame/i.test(reason)) {
    throw new StepFailure('action', `${describeTarget(target)} cannot be looked for: ${reason}`, {
      hint: 'Backticks hold a CSS selector; quotes hold what a person sees.',
    })
  }
  if (/closed|crashed/i.test(reason)) throw new StepFailure('environment', `The page was closed or crashed: ${reason}`)
  return undefined
}

/** How long one try of an action may wait before the target is looked for anew. */
const oneTry = 3000

/** Finds the target and acts on it; looks again where the element went away before the action was performed. */
export async function actOn(
  state: SessionState,
  target: Target,
  want: Want,
  deadline: Deadline,
  perform: (locator: Locator, timeout: number) => Promise<void>,
): Promise<void> {
  for (;;) {
    const locator = await findOne(state, target, want, deadline)
    try {
      return await perform(locator, Math.min(oneTry, timeLeft(deadline)))
    } catch (error) {
      if (error instanceof StepFailure) throw error
      // Once it was performed it is not done again: a slow page must not be clicked twice.
      if (wasClicked(error)) return untilPageAnswers(state, target, deadline)
      if (isOver(deadline) || !mayTryAgain(error)) throw notActionable(target, error, deadline)
    }
    await pause(20)
  }
}

// Playwright's log of the last try says whether the mouse was already pressed and nothing lay in between.
function wasClicked(error: unknown): boolean {
  if (!isTimeout(error) || !(error instanceof Error)) return false
  const lastTry = error.message.split(/retrying \w+ action/).at(-1)!
  return /performing (click|dblclick) action/.test(lastTry) && !lastTry.includes('intercepts pointer events')
}

async function untilPageAnswers(state: SessionState, target: Target, deadline: Deadline): Promise<void> {
  const answer = currentPage(state)
    .evaluate(() => true)
    .catch(() => true)
  if (await boundedBy(answer, timeLeft(deadline), () => false)) return
  throw new StepFailure('action', `${describeTarget(target)} was clicked, and the page has not answered since.`, {
    expected: `an answer within ${inWords(deadline.ms)}`,
    actual: 'its script still runs',
  })
}

function mayTryAgain(error: unknown): boolean {
  const text = error instanceof Error ? error.message : ''
  if (text.includes('strict mode violation') || text.includes('not attached')) return true
  return isTimeout(error) && !text.includes('performing')
}

const knownReasons: [RegExp, string][] = [
  [/element is not enabled/, 'it is disabled'],
  [/element is not editable/, 'it is read-only'],
  [/<[^>]*>[^\n]*intercepts pointer events/, 'something else lies over it'],
  [/element is not stable/, 'it keeps moving'],
  [/element is not visible/, 'it is not visible'],
  [/outside of the viewport/, 'it cannot be scrolled into view'],
  [/waiting for .* to be visible/, 'it did not become ready'],
]

function notActionable(target: Target, error: unknown, deadline: Deadline): StepFailure {
  const text = error instanceof Error ? error.message : ''
  const known = knownReasons.find(([mark]) => mark.test(text))
  const cover = /(<[^>]*>)[^\n]*intercepts pointer events/.exec(text)?.[1]
  const reason = known ? known[1] + (cover ? ` (${cover})` : '') : plainReason(error)
  return new StepFailure('action', `${describeTarget(target)} is there, but ${reason}.`, {
    expected: `to act on it within ${deadline.ms} ms`,
    actual: reason,
  })
}
