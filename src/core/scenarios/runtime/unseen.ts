import type { Page } from 'playwright-core'

/** Playwright's own trace does not tell of these calls, nor take the page's DOM before and after each: what the scenario did is easier to see, and costs less to record. */
export function unseen<Result>(page: Page, work: () => Promise<Result>): Promise<Result> {
  const { _wrapApiCall: wrap } = page as { _wrapApiCall?: Wrap<Result> }
  return wrap ? wrap.call(page, work, { internal: true }) : work()
}
type Wrap<Result> = (work: () => Promise<Result>, options: { internal: boolean }) => Promise<Result>
