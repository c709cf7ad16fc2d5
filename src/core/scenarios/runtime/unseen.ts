import type { BrowserContext, Page } from 'playwright-core'

/** Playwright's own trace does not tell of these calls, nor take the page's DOM before and after each: what the scenario did is easier to see, and costs less to record. All of them cost it one stack trace. */
export function unseen<Result>(of: Page | BrowserContext, work: () => Promise<Result>): Promise<Result> {
  const { _wrapApiCall: wrap } = of as { _wrapApiCall?: Wrap<Result> }
  return wrap ? wrap.call(of, work, { internal: true }) : work()
}
type Wrap<Result> = (work: () => Promise<Result>, options: { internal: boolean }) => Promise<Result>
