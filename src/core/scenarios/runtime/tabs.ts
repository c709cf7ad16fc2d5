import type { BrowserContext, Page } from 'playwright-core'
import type { RuntimeEvent } from './environment.ts'
import { StepFailure } from './failure.ts'
import { foldText } from './matching.ts'
import type { SessionState } from './state.ts'
import type { Deadline } from './waiting.ts'
import { inWords, pollUntil, timeLeft } from './waiting.ts'

/** The tabs of the run. */
export interface PageShelf {
  current: Page
  /** Opened by the page itself and not yet switched to, oldest first. */
  unvisited: Page[]
  /** Tabs that were current before, the latest last. */
  earlier: Page[]
}

export function watchPages(context: BrowserContext, first: Page, tell: (event: RuntimeEvent) => void): PageShelf {
  const shelf: PageShelf = { current: first, unvisited: [], earlier: [] }
  const forget = (page: Page) => {
    shelf.unvisited = shelf.unvisited.filter((one) => one !== page)
    shelf.earlier = shelf.earlier.filter((one) => one !== page)
    tell({ kind: 'tab', what: 'closed', url: page.url() })
  }
  first.on('close', forget)
  context.on('page', (page) => {
    shelf.unvisited.push(page)
    page.on('close', forget)
    tell({ kind: 'tab', what: 'opened', url: page.url() })
  })
  return shelf
}

function makeCurrent(state: SessionState, page: Page): void {
  const shelf = state.pages
  shelf.unvisited = shelf.unvisited.filter((one) => one !== page)
  shelf.earlier = shelf.earlier.filter((one) => one !== page)
  if (shelf.current !== page && !shelf.current.isClosed()) shelf.earlier.push(shelf.current)
  shelf.current = page
  state.frame = undefined
}

/** Where the current tab closed itself, the one before it is current again, as in a browser. */
export function leaveClosedTab(state: SessionState): void {
  const shelf = state.pages
  if (!shelf.current.isClosed()) return
  const next = shelf.earlier.at(-1) ?? shelf.unvisited.at(-1) ?? state.context.pages().at(-1)
  if (!next) throw new StepFailure('environment', 'The last tab was closed: there is no page left to act on.')
  makeCurrent(state, next)
}

/** The tab that the action before opened, or the one of this title. */
export async function switchTab(state: SessionState, title: string | undefined, deadline: Deadline): Promise<void> {
  const find = () => (title === undefined ? state.pages.unvisited.at(-1) : tabTitled(state, title))
  const page = await pollUntil(deadline, find, title === undefined ? 'local' : 'page')
  if (!page) throw await noSuchTab(state, title, deadline)
  makeCurrent(state, page)
  await page.waitForLoadState('domcontentloaded', { timeout: timeLeft(deadline) }).catch(() => {})
  await page.bringToFront().catch(() => {})
}

async function tabTitled(state: SessionState, title: string): Promise<Page | undefined> {
  const titles = await titlesOfTabs(state)
  const wanted = foldText(title)
  const whole = titles.filter((one) => foldText(one.title) === wanted)
  const found = whole.length > 0 ? whole : titles.filter((one) => foldText(one.title).includes(wanted))
  if (found.length <= 1) return found[0]?.page
  throw new StepFailure('action', `${found.length} tabs are titled "${title}".`, {
    candidates: found.map((one) => ({
      description: `"${one.title}" at ${one.page.url()}`,
      locator: `"${one.title}"`,
      why: 'matches as well',
    })),
  })
}

async function titlesOfTabs(state: SessionState): Promise<{ page: Page; title: string }[]> {
  const read = async (page: Page) => ({ page, title: await page.title().catch(() => '') })
  return Promise.all(state.context.pages().map(read))
}

async function noSuchTab(state: SessionState, title: string | undefined, deadline: Deadline): Promise<StepFailure> {
  const open = (await titlesOfTabs(state)).map((one) => `"${one.title}" at ${one.page.url()}`)
  const message = title === undefined ? 'No new tab opened' : `No tab is titled "${title}"`
  return new StepFailure('action', `${message} (waited ${inWords(deadline.ms)}).`, {
    expected: 'a tab',
    actual: `open: ${open.join('; ')}`,
  })
}

/** Closes the current tab and goes back to the one before it. */
export async function closeTab(state: SessionState, deadline: Deadline): Promise<void> {
  if (state.context.pages().length < 2)
    throw new StepFailure('action', 'This is the only tab: closing it would end the run.')
  const page = state.pages.current
  await page.close({ runBeforeUnload: false })
  await pollUntil(deadline, () => (page.isClosed() ? true : undefined), 'local')
  leaveClosedTab(state)
}
