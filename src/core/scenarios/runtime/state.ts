import type { BrowserContext, FrameLocator, Locator, Page } from 'playwright-core'
import type { PlanSettings, Value } from '../plan.ts'
import type { DialogDesk } from './dialogs.ts'
import type { RuntimeEnvironment } from './environment.ts'
import type { Faults } from './faults.ts'
import type { Traffic } from './network.ts'
import type { PageShelf } from './tabs.ts'
import { resolveValue } from './values.ts'

/** All that one run's session knows between its steps. */
export interface SessionState {
  readonly context: BrowserContext
  readonly settings: PlanSettings
  readonly environment: RuntimeEnvironment
  readonly remembered: Record<string, string>
  readonly traffic: Traffic
  readonly faults: Faults
  readonly dialogs: DialogDesk
  readonly pages: PageShelf
  readonly headers: Record<string, string>
  /** Fields that a secret was filled into: pictures hide them. */
  readonly secretFields: Locator[]
  /** The frame that steps act in; undefined is the page itself. */
  frame: FrameLocator | undefined
}

/** The page that steps act on. */
export function currentPage(state: SessionState): Page {
  return state.pages.current
}

/** Where targets are looked for: the page, or the frame switched to. */
export function currentRoot(state: SessionState): Page | FrameLocator {
  return state.frame ?? state.pages.current
}

export function textOf(state: SessionState, value: Value): string {
  return resolveValue(value, state.environment, state.remembered)
}
