import type { BrowserContext, Route } from 'playwright-core'
import { urlMatches } from './matching.ts'
import { pause } from './waiting.ts'

/** What happens to requests that fit, `times` times or always. */
export interface Fault {
  method: string
  pattern: string
  times: number
  answer?: { status: number; body: string; contentType: string }
  delayMs?: number
}

export interface Faults {
  rules: Fault[]
  /** URLs that were answered by a rule: complaints about them are the scenario's own doing. */
  touched: Set<string>
  offline: boolean
  /** True once the network was taken away at all. */
  wasOffline: boolean
  routed: boolean
}

export function newFaults(): Faults {
  return { rules: [], touched: new Set(), offline: false, wasOffline: false, routed: false }
}

/** The newest rule goes first. Routing starts with the first rule, because it costs every request a round trip. */
export async function addFault(context: BrowserContext, faults: Faults, fault: Fault): Promise<void> {
  faults.rules.unshift(fault)
  if (faults.routed) return
  faults.routed = true
  const mayConcern = (url: URL) => faults.rules.some((rule) => rule.times > 0 && urlMatches(rule.pattern, url.href))
  await context.route(mayConcern, (route) => applyFaults(faults, route))
}

// A page that goes away while its request is held back is no failure.
async function applyFaults(faults: Faults, route: Route): Promise<void> {
  try {
    await answerRoute(faults, route)
  } catch {}
}

async function answerRoute(faults: Faults, route: Route): Promise<void> {
  const request = route.request()
  for (const rule of faults.rules) {
    const fits =
      (rule.method === '*' || rule.method.toUpperCase() === request.method()) && urlMatches(rule.pattern, request.url())
    if (!fits || rule.times <= 0) continue
    rule.times -= 1
    if (rule.delayMs !== undefined) await pause(rule.delayMs)
    if (!rule.answer) continue
    faults.touched.add(request.url())
    const { status, body, contentType } = rule.answer
    return route.fulfill({ status, body, contentType })
  }
  // Not `continue`: whoever else holds routes, such as the guard of allowed origins, must still be asked.
  await route.fallback()
}

export async function setOffline(context: BrowserContext, faults: Faults, offline: boolean): Promise<void> {
  faults.offline = offline
  if (offline) faults.wasOffline = true
  await context.setOffline(offline)
}
