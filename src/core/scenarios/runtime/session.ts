import type { BrowserContext, FrameLocator, Page } from 'playwright-core'
import type { PlanSettings, PlanStep } from '../plan.ts'
import { checkInvariants, watchComplaints } from './complaints.ts'
import { armDialog, releaseHeld, untilHeld, watchDialogs } from './dialogs.ts'
import type { RuntimeEnvironment, RuntimeEvent } from './environment.ts'
import { isTimeout, plainReason, redactFailure, redactText, StepFailure } from './failure.ts'
import { newFaults } from './faults.ts'
import { markAction, watchTraffic } from './network.ts'
import { performStep } from './perform.ts'
import type { Records } from './records.ts'
import type { SessionState } from './state.ts'
import { textOf } from './state.ts'
import { leaveClosedTab, watchPages } from './tabs.ts'
import { boundedBy, type Deadline, deadlineIn, inWords } from './waiting.ts'

/** One run on one browser context. Steps are run one after the other. */
export interface Session {
  readonly page: Page
  /** The page, or the frame that was switched to. */
  readonly root: Page | FrameLocator
  readonly remembered: Readonly<Record<string, string>>
  /** Throws a StepFailure; its texts hold no secret's value. */
  run(step: PlanStep): Promise<void>
  /** Checks the run-wide assertions of the settings. Throws a StepFailure. */
  finish(): Promise<void>
  /** Closes the tabs; the context is its owner's. */
  close(): Promise<void>
}

/** What may make the page send requests, open tabs or dialogs: waits look back to the latest of these. */
const causes = new Set<PlanStep['verb']>([
  'navigate',
  'back',
  'forward',
  'reload',
  'click',
  'fill',
  'type',
  'clear',
  'check',
  'uncheck',
  'hover',
  'focus',
  'scroll',
  'select',
  'press',
  'drag',
  'upload',
  'download',
  'advance_clock',
  'online',
])

/** Past a step's own time, for what Playwright cannot time out by itself, such as a page whose script never ends. */
const hangSlackMs = 2500

/** Listens from the start, so that later steps can look back; opens a page where there is none. */
export async function openSession(
  context: BrowserContext,
  settings: PlanSettings,
  environment: RuntimeEnvironment,
): Promise<Session> {
  const told = {
    ...environment,
    ...(environment.onEvent ? { onEvent: quietly(environment, environment.onEvent) } : {}),
  }
  const tell = (event: RuntimeEvent) => told.onEvent?.(event)
  if (settings.uses_clock) await context.clock.install()
  const traffic = watchTraffic(context)
  const dialogs = watchDialogs(context, tell)
  const complaints = watchComplaints(context)
  const statuses = watchPageStatus(context)
  const first = context.pages()[0] ?? (await context.newPage())
  const pages = watchPages(context, first, tell)
  const state: SessionState = {
    context,
    settings,
    environment: told,
    remembered: {},
    traffic,
    faults: newFaults(),
    dialogs,
    pages,
    headers: {},
    secretFields: [],
    frame: undefined,
  }
  const records: Records = {
    complaints,
    downloads: new Map(),
    pageStatus: ({ pages: shelf }) => statuses.get(shelf.current),
  }
  const clean = (failure: unknown) => redactFailure(asFailure(failure), environment.secrets)
  return {
    get page() {
      return state.pages.current
    },
    get root() {
      return state.frame ?? state.pages.current
    },
    remembered: state.remembered,
    async run(step) {
      try {
        await runStep(state, records, step)
      } catch (error) {
        throw clean(error)
      }
    },
    async finish() {
      try {
        await checkInvariants(state, complaints)
      } catch (error) {
        throw clean(error)
      }
    },
    async close() {
      for (const page of context.pages()) await page.close({ runBeforeUnload: false }).catch(() => {})
    },
  }
}

async function runStep(state: SessionState, records: Records, step: PlanStep): Promise<void> {
  const deadline = deadlineIn(step.options.timeout_ms ?? state.environment.stepTimeoutMs)
  leaveClosedTab(state)
  if (causes.has(step.verb)) {
    markAction(state.traffic)
    state.dialogs.unasked = undefined
    if (!step.arm?.dialog) state.dialogs.answer = undefined
  }
  const own = step.verb === 'wait_time' ? step.ms : deadline.ms
  await boundedBy(armedStep(state, records, step, deadline), own + hangSlackMs, () => {
    const message = `The page did not react within ${inWords(own)}: its scripts or the browser hang.`
    throw new StepFailure('action', message, { unresponsive: true })
  })
}

async function armedStep(state: SessionState, records: Records, step: PlanStep, deadline: Deadline): Promise<void> {
  const arm = step.arm?.dialog
  const answer = arm && { accept: arm.accept, ...(arm.value === undefined ? {} : { text: textOf(state, arm.value) }) }
  if (step.verb === 'dialog') {
    // It hands on to the next dialog only once it has met its own.
    await performStep(state, records, step, deadline)
    if (answer) armDialog(state.dialogs, answer)
    return releaseHeld(state.dialogs)
  }
  await releaseHeld(state.dialogs)
  if (!answer) return performStep(state, records, step, deadline)
  armDialog(state.dialogs, answer)
  await untilHeld(state.dialogs, performStep(state, records, step, deadline))
}

// The status of a page is that of the last document it was given, however the navigation came about.
function watchPageStatus(context: BrowserContext): WeakMap<Page, number> {
  const statuses = new WeakMap<Page, number>()
  context.on('response', (response) => {
    const request = response.request()
    if (!request.isNavigationRequest()) return
    try {
      const frame = request.frame()
      if (frame === frame.page().mainFrame()) statuses.set(frame.page(), response.status())
    } catch {
      // The first request of a popup is seen before its frame is.
    }
  })
  return statuses
}

const fixed = new Set(['kind', 'step_id'])

// What the host is told goes into traces: the same rule for secrets as for failures.
function quietly(
  environment: RuntimeEnvironment,
  listen: (event: RuntimeEvent) => unknown,
): (event: RuntimeEvent) => unknown {
  return (event) => {
    const entries = Object.entries(event).map(([key, value]) => [
      key,
      typeof value === 'string' && !fixed.has(key) ? redactText(value, environment.secrets) : value,
    ])
    return listen(Object.fromEntries(entries) as RuntimeEvent)
  }
}

function asFailure(error: unknown): StepFailure {
  if (error instanceof StepFailure) return error
  const reason = plainReason(error)
  if (/(Target|page|context|browser)[^.]* (has been |was )?closed|crashed/i.test(reason)) {
    return new StepFailure('environment', `The browser or its page went away: ${reason}`)
  }
  return new StepFailure('action', isTimeout(error) ? `It did not happen in time: ${reason}` : reason)
}
