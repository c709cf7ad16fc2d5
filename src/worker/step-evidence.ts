import type { Page } from 'playwright-core'
import type { PlanStep } from '../core/scenarios/index.ts'
import type { AttemptContext } from './attempt.ts'
import type { Evidence, Frame } from './evidence/index.ts'

/** A step's picture: 001.jpg. */
export const pictureName = (number: number): string => `${String(number).padStart(3, '0')}.jpg`

/** A real picture, as an artifact and its event; none where the page does not hold still. */
export async function takePicture(
  { name, stepId }: { name: string; stepId: string | null },
  page: Page,
  { keep, recorder }: AttemptContext,
  evidence: Evidence,
): Promise<void> {
  const image = await evidence.picture(page)
  if (!image) return
  const facts = keep(image, { kind: 'screenshot', name, mediaType: 'image/jpeg', stepId })
  recorder.emit({ kind: 'screenshot', step_id: stepId, name, media_type: 'image/jpeg', ...facts })
}

/** A picture of a step that passed, once the film has it. */
export async function keepFrame(
  { number, step_id: stepId }: PlanStep,
  shown: Promise<Frame | undefined>,
  { keep, recorder }: AttemptContext,
): Promise<void> {
  const frame = await shown
  if (!frame) return
  const name = pictureName(number)
  const facts = keep(frame.image, { kind: 'screenshot', name, mediaType: 'image/jpeg', stepId })
  const taken_at = Math.round(frame.at)
  recorder.emit({ kind: 'screenshot', step_id: stepId, name, media_type: 'image/jpeg', ...facts, taken_at })
}

/** The latest outline that was told in full, and the number of its event; at first the empty one. */
export interface ToldOutline {
  aria: string
  seq: number
}

/** The page's accessible outline, as an event: in full where it changed, else the number of the event that has it. */
export async function takeOutline(
  stepId: string,
  page: Page,
  { recorder, told }: AttemptContext & { told: ToldOutline },
  evidence: Evidence,
  patienceMs: number,
): Promise<void> {
  const aria = await evidence.outline(page, patienceMs)
  if (!aria) return
  if (aria === told.aria) {
    recorder.emit({ kind: 'dom.snapshot', step_id: stepId, unchanged_since: told.seq })
    return
  }
  const { seq } = recorder.emit({ kind: 'dom.snapshot', step_id: stepId, aria })
  Object.assign(told, { aria, seq })
}

/** What a Snapshot step leaves beside its outline: the DOM itself. */
export async function keepDom(
  step: PlanStep,
  page: Page,
  { keep, recorder }: AttemptContext,
  evidence: Evidence,
): Promise<void> {
  const html = await evidence.html(page)
  if (!html) return
  const name = `${String(step.number).padStart(3, '0')}.html`
  const facts = keep(html, { kind: 'dom', name, mediaType: 'text/html', stepId: step.step_id })
  recorder.emit({ kind: 'dom.snapshot', step_id: step.step_id, name, media_type: 'text/html', ...facts })
}
