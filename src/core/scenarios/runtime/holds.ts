import type { Locator } from 'playwright-core'
import type { ElementState, Target } from '../plan.ts'
import { plainReason, StepFailure } from './failure.ts'
import type { Sighting } from './find.ts'
import { lookFor, undefinedWhilePageChanges } from './find.ts'
import { ambiguousFailure, notFoundFailure } from './nearest.ts'
import type { Want } from './stages.ts'
import type { SessionState } from './state.ts'
import { currentRoot } from './state.ts'
import { describeTarget } from './targets.ts'
import type { Deadline } from './waiting.ts'
import { isOver, pollUntil, timeLeft } from './waiting.ts'

/** What one look at the page says: does it hold, and what is there, in plain words. */
export interface Verdict {
  holds: boolean
  actual: string
  /** The question makes no sense yet: no such element, or several. Neither the plain nor the negated form holds. */
  undecided?: Sighting
}

/** Looks until it holds (or, negated, until it does not). Returns the last verdict, which is then the right one or the reason. */
export async function lookUntil(
  deadline: Deadline,
  negated: boolean,
  look: () => Promise<Verdict> | Verdict,
): Promise<Verdict & { passed: boolean }> {
  let last: Verdict = { holds: false, actual: 'the page did not answer' }
  const passed = await pollUntil(deadline, async () => {
    const verdict = await lookOnce(look)
    if (verdict) last = verdict
    return verdict && !verdict.undecided && verdict.holds !== negated ? true : undefined
  })
  return { ...last, passed: passed === true }
}

// Between two documents there is nothing to look at: that is no verdict.
async function lookOnce(look: () => Promise<Verdict> | Verdict): Promise<Verdict | undefined> {
  try {
    return await look()
  } catch (error) {
    if (error instanceof StepFailure) throw error
    return undefinedWhilePageChanges(error, { by: 'name', name: 'page' })
  }
}

/** The failure for an undecided verdict: what is missing, or what there are several of. */
export async function undecidedFailure(
  state: SessionState,
  sighting: Sighting,
  want: Want,
  deadline: Deadline,
): Promise<StepFailure> {
  const failure =
    sighting.count > 1
      ? await ambiguousFailure(state, sighting)
      : await notFoundFailure(state, sighting.about, want, deadline.ms, sighting.total)
  return new StepFailure('assertion', failure.message, failure)
}

/** Asks about one element, visible or else hidden. */
export async function askElement(
  state: SessionState,
  target: Target,
  want: Want,
  deadline: Deadline,
  ask: (locator: Locator, timeout: number) => Promise<Verdict>,
): Promise<Verdict> {
  let sighting = await lookFor(state, target, want)
  if (sighting.count === 0) sighting = await lookFor(state, target, want, false)
  if (sighting.count !== 1)
    return { holds: false, actual: sighting.count === 0 ? 'not found' : `${sighting.count} found`, undecided: sighting }
  return ask(sighting.locator, isOver(deadline) ? 500 : Math.min(1000, timeLeft(deadline)))
}

const wantForState: Partial<Record<ElementState, Want>> = { checked: 'check', unchecked: 'check', empty: 'value' }

export function wantOfState(state: ElementState): Want {
  return wantForState[state] ?? 'see'
}

/** Is the target in that state? Visible and hidden are questions about what is there; all others about one element. */
export async function stateHolds(
  state: SessionState,
  target: Target,
  wanted: ElementState,
  deadline: Deadline,
): Promise<Verdict> {
  if (wanted === 'visible' || wanted === 'hidden') return visibilityHolds(state, target, wanted)
  if (wanted === 'empty') return emptyHolds(state, target, deadline)
  return askElement(state, target, wantOfState(wanted), deadline, async (locator, timeout) => {
    if (wanted === 'focused') {
      const focused = await locator.evaluate(hasFocus, undefined, { timeout })
      return { holds: focused, actual: focused ? 'focused' : 'not focused' }
    }
    if (wanted === 'enabled' || wanted === 'disabled') {
      const actual = (await locator.isEnabled({ timeout })) ? 'enabled' : 'disabled'
      return { holds: actual === wanted, actual }
    }
    const actual = (await checkedNow(locator, timeout, target)) ? 'checked' : 'unchecked'
    return { holds: actual === wanted, actual }
  })
}

async function checkedNow(locator: Locator, timeout: number, target: Target): Promise<boolean> {
  try {
    return await locator.isChecked({ timeout })
  } catch (error) {
    if (!plainReason(error).includes('Not a checkbox')) throw error
    throw new StepFailure('assertion', `${describeTarget(target)} is nothing that can be checked.`, {
      expected: 'a checkbox, a radio button or a switch',
      actual: 'another kind of element',
    })
  }
}

// Runs in the page.
function hasFocus(element: Element): boolean {
  const root = element.getRootNode() as Document | ShadowRoot
  return root.activeElement === element || element.matches(':focus')
}

async function visibilityHolds(state: SessionState, target: Target, wanted: 'visible' | 'hidden'): Promise<Verdict> {
  const sighting = await lookFor(state, target, 'see')
  if (wanted === 'visible' && sighting.count > 1)
    return { holds: false, actual: `${sighting.count} of them are visible`, undecided: sighting }
  const actual = sighting.count > 0 ? 'visible' : 'not visible'
  return { holds: wanted === 'visible' ? sighting.count === 1 : sighting.count === 0, actual }
}

// An empty box has no size, so it counts also where it cannot be seen. A field by that name goes before other things.
async function emptyHolds(state: SessionState, target: Target, deadline: Deadline): Promise<Verdict> {
  const field = target.by === 'name' ? await lookFor(state, target, 'value') : undefined
  const want: Want = field && field.count > 0 ? 'value' : 'see'
  return askElement(state, target, want, deadline, async (locator, timeout) => {
    const text = await locator.evaluate(contentOf, undefined, { timeout })
    return { holds: text.trim() === '', actual: text.trim() === '' ? 'empty' : `"${text.trim()}"` }
  })
}

// Runs in the page.
function contentOf(element: Element): string {
  const field =
    element instanceof HTMLInputElement ||
    element instanceof HTMLTextAreaElement ||
    element instanceof HTMLSelectElement
  return field ? element.value : (element.textContent ?? '')
}

/** Is the text to be seen anywhere? Several places are fine. */
export async function textHolds(state: SessionState, text: string, wanted: 'visible' | 'hidden'): Promise<Verdict> {
  const shown = currentRoot(state).getByText(text).filter({ visible: true })
  const visible = (await shown.count()) > 0
  return { holds: visible === (wanted === 'visible'), actual: visible ? 'visible' : 'not visible' }
}

/** How many visible elements the target names now. */
export async function countNow(state: SessionState, target: Target): Promise<number> {
  const sighting = await lookFor(state, target, 'see')
  return sighting.about === target ? Math.max(sighting.count, chosen(target) ? 0 : sighting.total) : 0
}

function chosen(target: Target): boolean {
  return target.nth !== undefined || target.first === true || target.last === true
}
