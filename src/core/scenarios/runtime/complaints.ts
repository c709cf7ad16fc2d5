import type { BrowserContext } from 'playwright-core'
import { StepFailure } from './failure.ts'
import { exchangeInWords, untilAnswered } from './network.ts'
import type { SessionState } from './state.ts'
import { boundedBy } from './waiting.ts'

/** What the pages complained of. */
export interface Complaints {
  console: { text: string; url: string }[]
  /** Uncaught exceptions and unhandled rejections: the browser reports both as one. */
  thrown: string[]
}

const mostComplaints = 1000

export function watchComplaints(context: BrowserContext): Complaints {
  const complaints: Complaints = { console: [], thrown: [] }
  context.on('console', (message) => {
    if (message.type() !== 'error' || complaints.console.length >= mostComplaints) return
    complaints.console.push({ text: message.text(), url: message.location().url })
  })
  context.on('weberror', (error) => {
    if (complaints.thrown.length < mostComplaints) complaints.thrown.push(error.error().message)
  })
  return complaints
}

const isFavicon = (url: string) => url.split('?')[0]!.endsWith('/favicon.ico')

/** Errors on the console, without those that the scenario itself injected. */
export function consoleErrors(state: SessionState, complaints: Complaints): string[] {
  const own = ({ url, text }: { url: string; text: string }) =>
    state.faults.touched.has(url) ||
    isFavicon(url) ||
    (state.faults.wasOffline && text.includes('ERR_INTERNET_DISCONNECTED'))
  return [...complaints.console.filter((one) => !own(one)).map((one) => one.text), ...complaints.thrown]
}

/** Requests without an answer or with one of 400 and above, without those injected and those the page itself gave up. */
export function failedRequests(state: SessionState): string[] {
  const failed = state.traffic.exchanges.filter(({ url, status, failure }) => {
    if (state.faults.touched.has(url) || isFavicon(url) || failure === 'net::ERR_ABORTED') return false
    if (state.faults.wasOffline && failure === 'net::ERR_INTERNET_DISCONNECTED') return false
    return failure !== undefined || (status ?? 0) >= 400
  })
  return failed.map(exchangeInWords)
}

/** Lets what the pages have said already, and answers that are on their way, arrive. */
export async function hearOut(state: SessionState): Promise<void> {
  await untilAnswered(state.traffic, 1000)
  const answer = state.pages.current.evaluate(() => true)
  await boundedBy(answer, 1000, () => true).catch(() => true)
}

/** The invariants of the whole run, from the front matter's `assertions`. Throws the first that does not hold. */
export async function checkInvariants(state: SessionState, complaints: Complaints): Promise<void> {
  const wanted = state.settings.assertions
  if (!Object.values(wanted).some(Boolean)) return
  await hearOut(state)
  if (wanted.no_console_errors) expectNone('console errors', consoleErrors(state, complaints))
  if (wanted.no_unhandled_rejections) expectNone('unhandled rejections or exceptions', complaints.thrown)
  if (wanted.no_failed_requests) expectNone('failed requests', failedRequests(state))
}

function expectNone(what: string, found: string[]): void {
  if (found.length === 0) return
  throw new StepFailure('assertion', `The run was to have no ${what}, but it had ${found.length}.`, {
    expected: `no ${what}`,
    actual: found.slice(0, 5).join('; '),
  })
}
