import type { PlanStep } from '../plan.ts'
import { plainReason } from './failure.ts'
import { findOne } from './find.ts'
import type { SessionState } from './state.ts'
import { currentPage, currentRoot } from './state.ts'
import type { Deadline } from './waiting.ts'

/** Taking a picture right after a click that navigates can hang in Chromium. */
const pictureMs = 1500

/** A picture for the record. Only a target that is not there fails the step; a picture that does not come is logged. */
export async function takePicture(
  state: SessionState,
  step: PlanStep & { verb: 'screenshot' },
  deadline: Deadline,
): Promise<void> {
  const { onEvent, mask } = state.environment
  const page = currentPage(state)
  const hidden = [page.locator('css=input[type=password]'), ...state.secretFields, ...(mask?.(page) ?? [])]
  const options = { mask: hidden, timeout: pictureMs }
  const subject = step.of ? await findOne(state, step.of, 'see', deadline) : undefined
  try {
    const png = subject
      ? await subject.screenshot(options)
      : await page.screenshot({ ...options, fullPage: step.full_page ?? false })
    onEvent?.({ kind: 'screenshot', step_id: step.step_id, ...labelOf(step), png })
  } catch (error) {
    onEvent?.({ kind: 'log', message: `The screenshot was not taken: ${plainReason(error)}` })
  }
}

/** What the page says to those who cannot see it, for the record. */
export async function takeSnapshot(state: SessionState, step: PlanStep & { verb: 'snapshot' }): Promise<void> {
  const { onEvent } = state.environment
  try {
    const aria = await currentRoot(state).locator('css=body').ariaSnapshot({ timeout: pictureMs })
    onEvent?.({ kind: 'snapshot', step_id: step.step_id, ...labelOf(step), aria })
  } catch (error) {
    onEvent?.({ kind: 'log', message: `The snapshot was not taken: ${plainReason(error)}` })
  }
}

function labelOf(step: { label?: string; options: { name?: string } }): { label?: string } {
  const label = step.label ?? step.options.name
  return label === undefined ? {} : { label }
}
