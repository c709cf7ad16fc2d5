import { isTimeout, plainReason, StepFailure } from './failure.ts'
import { untilAnswered } from './network.ts'
import type { SessionState } from './state.ts'
import { currentPage } from './state.ts'
import type { Deadline } from './waiting.ts'
import { inWords, timeLeft } from './waiting.ts'

/** A page that keeps loading for ever is used after this long. */
const settleMs = 2000
/** A page that an action asked for is waited for this long. */
const pageMs = 5000

const networkReasons: [string, string][] = [
  ['ERR_CONNECTION_REFUSED', 'nothing listens there (connection refused)'],
  ['ERR_NAME_NOT_RESOLVED', 'its name cannot be resolved'],
  ['ERR_CERT_', 'its certificate is not trusted'],
  ['ERR_SSL_', 'the secure connection failed'],
  ['ERR_CONNECTION_RESET', 'the connection was reset'],
  ['ERR_CONNECTION_CLOSED', 'the connection was closed without an answer'],
  ['ERR_TUNNEL_CONNECTION_FAILED', 'no connection to it was made'],
  ['ERR_EMPTY_RESPONSE', 'it closed the connection without an answer'],
  ['ERR_CONNECTION_TIMED_OUT', 'it did not answer'],
  ['ERR_TIMED_OUT', 'it did not answer'],
  ['ERR_ADDRESS_UNREACHABLE', 'its address cannot be reached'],
  ['ERR_NETWORK_CHANGED', 'the network changed meanwhile'],
  ['ERR_INTERNET_DISCONNECTED', 'the browser is offline'],
  ['ERR_TOO_MANY_REDIRECTS', 'it redirects in a circle'],
  ['ERR_BLOCKED_BY_CLIENT', 'this run may not go there (origin not allowed)'],
  ['ERR_UNSAFE_PORT', 'browsers refuse that port'],
  ['ERR_INVALID_URL', 'it is not a URL'],
  ['invalid URL', 'it is not a URL'],
]

/** An absolute URL, from a path on the base URL's origin or an http(s) URL. */
export function absoluteUrl(state: SessionState, written: string): string {
  const url = URL.canParse(written, state.environment.baseUrl) ? new URL(written, state.environment.baseUrl) : undefined
  if (!url) throw new StepFailure('environment', `"${written}" is not a URL, and there is no base URL to read it by.`)
  if (!['http:', 'https:', 'about:'].includes(url.protocol)) {
    throw new StepFailure('action', `${url.protocol} addresses are not opened; only http and https are.`)
  }
  return url.href
}

export async function navigateTo(state: SessionState, written: string, deadline: Deadline): Promise<void> {
  const url = absoluteUrl(state, written)
  state.frame = undefined
  await mayOpen(state, url)
  await pageUnderWay(state, deadline)
  const open = () => currentPage(state).goto(url, { waitUntil: 'domcontentloaded', timeout: timeLeft(deadline) })
  // A page that came in between is there by now: this one follows it.
  const isBetween = (error: Error) => error.message.includes('interrupted by another navigation')
  await go(state, url, deadline, () => open().catch((error) => (isBetween(error) ? open() : Promise.reject(error))))
  await mayOpen(state, currentPage(state).url())
}

/**
 * Where the action before has sent a form that signs in, its answer brings the cookie: to go on before it has come would
 * take it back.
 */
async function pageUnderWay({ pages, traffic }: SessionState, deadline: Deadline): Promise<void> {
  const main = pages.current.mainFrame()
  await untilAnswered(traffic, Math.min(pageMs, timeLeft(deadline) / 2), ({ request }) => {
    try {
      return request.isNavigationRequest() && request.frame() === main
    } catch {
      return false // of a service worker, or of a tab that is not there yet
    }
  })
}

/** Before, to say so at once; after, because a redirect may have led elsewhere and what then shows is only the refusal. */
async function mayOpen(state: SessionState, url: string): Promise<void> {
  if (!/^https?:/.test(url)) return
  try {
    await state.environment.allowRequest?.(url)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StepFailure('environment', `${url} may not be opened: ${reason}`, { expected: 'a page', actual: reason })
  }
}

export async function moveInHistory(
  state: SessionState,
  verb: 'back' | 'forward' | 'reload',
  deadline: Deadline,
): Promise<void> {
  const page = currentPage(state)
  const before = page.url()
  state.frame = undefined
  const options = { waitUntil: 'domcontentloaded' as const, timeout: timeLeft(deadline) }
  const move = {
    back: () => page.goBack(options),
    forward: () => page.goForward(options),
    reload: () => page.reload(options),
  }
  const response = await go(state, before, deadline, move[verb])
  if (verb !== 'reload' && response === null && page.url() === before) {
    throw new StepFailure('action', `There is no page to go ${verb} to.`, {
      expected: 'another page',
      actual: `still at ${before}`,
    })
  }
}

async function go<T>(state: SessionState, url: string, deadline: Deadline, move: () => Promise<T>): Promise<T> {
  try {
    const response = await move()
    const timeout = Math.min(settleMs, timeLeft(deadline))
    await currentPage(state)
      .waitForLoadState('load', { timeout })
      .catch(() => {})
    return response
  } catch (error) {
    throw navigationFailure(state, url, error, deadline)
  }
}

function navigationFailure(state: SessionState, url: string, error: unknown, deadline: Deadline): StepFailure {
  const text = error instanceof Error ? error.message : String(error)
  const known = networkReasons.find(([mark]) => text.includes(mark))
  if (isTimeout(error)) {
    return new StepFailure('environment', `${url} did not answer within ${inWords(deadline.ms)}.`, {
      expected: 'a page',
      actual: 'no answer in time',
    })
  }
  if (text.includes('Download is starting')) {
    return new StepFailure('action', `${url} is a download, not a page.`, {
      hint: 'Use `Download by clicking <target> as name`.',
    })
  }
  if (text.includes('ERR_ABORTED')) {
    return new StepFailure(
      'action',
      `The navigation to ${url} was given up: another one began, or the answer has no content.`,
    )
  }
  // Who takes the network away must expect this; it is no trouble of the environment.
  const kind = state.faults.offline ? 'action' : 'environment'
  const reason = known?.[1] ?? plainReason(error)
  return new StepFailure(kind, `${url} cannot be opened: ${reason}.`, { expected: 'a page', actual: reason })
}
