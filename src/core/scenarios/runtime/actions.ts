import type { Download, Page } from 'playwright-core'
import type { PlanStep, Target } from '../plan.ts'
import { plainReason, StepFailure } from './failure.ts'
import { actOn, findOne } from './find.ts'
import type { SessionState } from './state.ts'
import { currentPage } from './state.ts'
import { describeTarget } from './targets.ts'
import type { Deadline } from './waiting.ts'
import { pollUntil, timeLeft } from './waiting.ts'

/** A finished download: the name that the page gave it, and Playwright's handle. */
export interface KeptDownload {
  fileName: string
  download: Download
}

export async function clickOn(
  state: SessionState,
  step: PlanStep & { verb: 'click' },
  deadline: Deadline,
): Promise<void> {
  const { button, count } = step
  await actOn(state, step.target, 'click', deadline, (locator, timeout) =>
    count === 2 ? locator.dblclick({ button, timeout }) : locator.click({ button, timeout }),
  )
}

export async function pressKey(
  state: SessionState,
  key: string,
  target: Target | undefined,
  deadline: Deadline,
): Promise<void> {
  try {
    if (!target) return await currentPage(state).keyboard.press(key)
    await actOn(state, target, 'see', deadline, (locator, timeout) => locator.focus({ timeout }))
    await (await findOne(state, target, 'see', deadline)).press(key, { timeout: timeLeft(deadline) })
  } catch (error) {
    if (!plainReason(error).includes('Unknown key')) throw error
    throw new StepFailure('action', `"${key}" is no key.`, {
      hint: 'Keys are Enter, Tab, Escape, ArrowDown, a, A, Control+A …',
    })
  }
}

export async function dragOnto(state: SessionState, from: Target, onto: Target, deadline: Deadline): Promise<void> {
  const destination = await findOne(state, onto, 'click', deadline)
  await actOn(state, from, 'click', deadline, (locator, timeout) => locator.dragTo(destination, { timeout }))
}

/** Steps act inside the frame from now on; frames within frames are reached one by one. */
export async function switchFrame(state: SessionState, target: Target, deadline: Deadline): Promise<void> {
  const element = await findOne(state, target, 'frame', deadline)
  const isFrame = await element.evaluate((one) => /^I?FRAME$/.test(one.tagName), undefined, {
    timeout: timeLeft(deadline),
  })
  if (!isFrame) throw new StepFailure('action', `${describeTarget(target)} is not a frame.`)
  state.frame = element.contentFrame()
}

/** Clicks, waits for the file and keeps it under a name. */
export async function downloadFile(state: SessionState, target: Target, deadline: Deadline): Promise<KeptDownload> {
  const seen = await downloadCausedBy(state, target, deadline)
  const failure = await seen.failure()
  if (failure) throw new StepFailure('action', `The download of ${seen.suggestedFilename()} failed: ${failure}`)
  return { fileName: seen.suggestedFilename(), download: seen }
}

// Listens before the click, and on every tab: a link that opens a new one downloads there.
async function downloadCausedBy(state: SessionState, target: Target, deadline: Deadline): Promise<Download> {
  const seen: Download[] = []
  const notice = (download: Download) => void seen.push(download)
  const watch = (page: Page) => void page.on('download', notice)
  state.context.pages().forEach(watch)
  state.context.on('page', watch)
  try {
    await actOn(state, target, 'click', deadline, (locator, timeout) => locator.click({ timeout }))
    const download = await pollUntil(deadline, () => seen[0], 'local')
    if (download) return download
  } finally {
    state.context.off('page', watch)
    for (const page of state.context.pages()) page.off('download', notice)
  }
  throw new StepFailure('action', `No download began after clicking ${describeTarget(target)}.`, {
    expected: 'a download',
    actual: 'none',
  })
}
