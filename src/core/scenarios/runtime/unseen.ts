import { AsyncLocalStorage } from 'node:async_hooks'
import type { BrowserContext, Page } from 'playwright-core'

/**
 * Playwright's own trace does not tell of these calls, nor take the page's DOM before and after each: what the scenario
 * did is easier to see, and costs less to record. Playwright takes a stack trace, half a millisecond, of every call that is
 * not part of another: so all of these are parts of one.
 */
export async function unseen<Result>(of: Page | BrowserContext, work: () => Promise<Result>): Promise<Result> {
  const { _wrapApiCall: wrap } = of as { _wrapApiCall?: Wrap }
  if (!wrap) return work()
  const one = calls.get(of) ?? wrap.call(of, async () => AsyncLocalStorage.snapshot(), { internal: true })
  calls.set(of, one)
  return (await one)(work)
}
type Within = <Result>(work: () => Result) => Result
type Wrap = (work: () => Promise<Within>, options: { internal: boolean }) => Promise<Within>
const calls = new WeakMap<Page | BrowserContext, Promise<Within>>()
