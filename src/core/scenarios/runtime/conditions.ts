import type { PlanStep } from '../plan.ts'
import { plainReason, StepFailure } from './failure.ts'
import { addFault, setOffline } from './faults.ts'
import type { SessionState } from './state.ts'
import { currentPage, textOf } from './state.ts'

export type ConditionStep = Extract<
  PlanStep,
  {
    verb:
      | 'inject_error'
      | 'respond'
      | 'inject_latency'
      | 'offline'
      | 'online'
      | 'set_clock'
      | 'advance_clock'
      | 'set_cookie'
      | 'set_header'
      | 'set_local_storage'
      | 'set_geolocation'
      | 'set_color_scheme'
      | 'allow'
  }
>

/** Sets what the page lives in: network faults, clock, storage, device. */
export async function setCondition(state: SessionState, step: ConditionStep): Promise<void> {
  const { context, faults } = state
  switch (step.verb) {
    case 'inject_error': {
      const answer = {
        status: step.status,
        body: `{"error":"injected ${step.status}"}`,
        contentType: 'application/json',
      }
      return addFault(context, faults, { ...faultOf(state, step), answer })
    }
    case 'respond': {
      const answer = { status: step.status, body: textOf(state, step.body), contentType: step.content_type }
      return addFault(context, faults, { ...faultOf(state, step), answer })
    }
    case 'inject_latency':
      return addFault(context, faults, { ...faultOf(state, step), delayMs: step.ms })
    case 'offline':
    case 'online':
      return setOffline(context, faults, step.verb === 'offline')
    case 'set_clock':
    case 'advance_clock':
      return moveClock(state, step)
    case 'set_cookie':
      return setCookie(state, step.key, textOf(state, step.value))
    case 'set_header':
      state.headers[step.key] = textOf(state, step.value)
      return context.setExtraHTTPHeaders(state.headers)
    case 'set_local_storage':
      return setLocalStorage(state, step.key, textOf(state, step.value))
    case 'set_geolocation':
      await context.grantPermissions(['geolocation'])
      return context.setGeolocation({ latitude: step.latitude, longitude: step.longitude })
    case 'set_color_scheme':
      return setColorScheme(state, step.scheme)
    case 'allow':
      return allowPermission(state, step.permission)
  }
}

function faultOf(
  state: SessionState,
  step: Extract<ConditionStep, { verb: 'inject_error' | 'respond' | 'inject_latency' }>,
) {
  return { method: step.method, pattern: textOf(state, step.pattern), times: step.times ?? Number.POSITIVE_INFINITY }
}

// Jumping, not running through: two days of a 100 ms interval would take ten seconds.
async function moveClock(
  state: SessionState,
  step: Extract<ConditionStep, { verb: 'set_clock' | 'advance_clock' }>,
): Promise<void> {
  const { clock } = state.context
  if (step.verb === 'set_clock') {
    const toMs = Date.parse(step.at)
    if (Number.isNaN(toMs)) throw new StepFailure('action', `"${step.at}" is not a time such as 2026-01-31T10:00:00Z.`)
    await clock.setSystemTime(toMs)
    await state.environment.moveCloneClock?.({ toMs })
  } else {
    await clock.fastForward(step.ms)
    await state.environment.moveCloneClock?.({ byMs: step.ms })
  }
}

async function setCookie(state: SessionState, name: string, value: string): Promise<void> {
  try {
    await state.context.addCookies([{ name, value, url: state.environment.baseUrl }])
  } catch (error) {
    throw new StepFailure('action', `The cookie "${name}" cannot be set: ${plainReason(error)}`)
  }
}

// Where no page of the app is open there is no storage to write to yet: it is written before the app's first script.
async function setLocalStorage(state: SessionState, key: string, value: string): Promise<void> {
  const { origin } = new URL(state.environment.baseUrl)
  const open = state.context.pages().find((page) => URL.canParse(page.url()) && new URL(page.url()).origin === origin)
  if (open) return open.evaluate(([name, text]) => localStorage.setItem(name, text), [key, value] as const)
  const page = currentPage(state)
  const script = await page.addInitScript(storeOnce, { origin, key, value })
  const finish = () => {
    if (!URL.canParse(page.url()) || new URL(page.url()).origin !== origin) return
    page.off('domcontentloaded', finish)
    // Once only: what the app writes later is its own. Older Playwright has no way to take the script back.
    script?.dispose?.().catch(() => {})
  }
  page.on('domcontentloaded', finish)
}

// Runs in the page, before its own scripts.
function storeOnce({ origin, key, value }: { origin: string; key: string; value: string }): void {
  if (location.origin !== origin || window !== window.top) return
  localStorage.setItem(key, value)
}

async function setColorScheme(state: SessionState, colorScheme: 'light' | 'dark'): Promise<void> {
  for (const page of state.context.pages()) await page.emulateMedia({ colorScheme })
  state.context.on('page', (page) => {
    page.emulateMedia({ colorScheme }).catch(() => {})
  })
}

async function allowPermission(state: SessionState, permission: string): Promise<void> {
  try {
    await state.context.grantPermissions([permission])
  } catch (error) {
    throw new StepFailure('action', `"${permission}" cannot be allowed: ${plainReason(error)}`, {
      hint: 'Known are geolocation, notifications, camera, microphone, clipboard-read, clipboard-write and others of the browser.',
    })
  }
}
