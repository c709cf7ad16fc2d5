import type { Locator, Page } from 'playwright-core'
import type { Target } from './plan.ts'
import { lookFor } from './runtime/find.ts'
import type { Want } from './runtime/stages.ts'
import type { SessionState } from './runtime/state.ts'

/** One look at a page, as a step would look, without waiting: how many elements the target means, and which. */
export async function lookOnPage(
  page: Page,
  target: Target,
  want: Want = 'see',
): Promise<{ count: number; locator: Locator }> {
  // Looking needs the page and plain texts; the rest of a session is for acting.
  const state = {
    pages: { current: page },
    frame: undefined,
    environment: {},
    remembered: {},
  } as unknown as SessionState
  return lookFor(state, target, want)
}
