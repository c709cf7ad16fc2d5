import type { BrowserContext, Dialog } from 'playwright-core'
import type { RuntimeEvent } from './environment.ts'
import { StepFailure } from './failure.ts'
import type { Deadline } from './waiting.ts'
import { pollUntil } from './waiting.ts'

export interface DialogAnswer {
  accept: boolean
  text?: string
}

interface SeenDialog {
  type: string
  message: string
}

/** Meets every dialog at once, because a page stands still until it is met. */
export interface DialogDesk {
  /** What the next dialog will be told. */
  answer?: DialogAnswer
  /** The dialog that was met with the answer. */
  met?: SeenDialog
  /** One that came unasked since the last action. */
  unasked?: SeenDialog
  /** One that came right behind the one that was met: the step that meets that one says what becomes of this. */
  held?: Dialog
  /** Called when a dialog is held: what caused it stands still and must not be waited for. */
  onHeld?: () => void
  tell: (event: RuntimeEvent) => void
}

export function watchDialogs(context: BrowserContext, tell: (event: RuntimeEvent) => void): DialogDesk {
  const desk: DialogDesk = { tell }
  context.on('dialog', (dialog) => {
    // A dialog whose page was closed meanwhile cannot be met any more.
    meetDialog(desk, dialog).catch(() => {})
  })
  return desk
}

async function meetDialog(desk: DialogDesk, dialog: Dialog): Promise<void> {
  if (dialog.type() === 'beforeunload') return dialog.accept()
  if (desk.answer && desk.met && !desk.held) {
    desk.held = dialog
    desk.onHeld?.()
    return
  }
  await answerDialog(desk, dialog)
}

async function answerDialog(desk: DialogDesk, dialog: Dialog): Promise<void> {
  const [type, message] = [dialog.type(), dialog.message()]
  const answer = desk.met ? undefined : desk.answer
  if (answer) desk.met = { type, message }
  else desk.unasked = { type, message }
  desk.tell({ kind: 'dialog', type, message, accepted: answer?.accept ?? false, awaited: answer !== undefined })
  if (answer?.accept) await dialog.accept(answer.text)
  else await dialog.dismiss()
}

/** Gives a held dialog what is armed now, or dismisses it. */
export async function releaseHeld(desk: DialogDesk): Promise<void> {
  const { held } = desk
  desk.held = undefined
  if (held) await answerDialog(desk, held).catch(() => {})
}

/** The work, or as much of it as is done when a second dialog makes the page stand still. */
export async function untilHeld(desk: DialogDesk, work: Promise<void>): Promise<void> {
  const held = new Promise<void>((resolve) => {
    desk.onHeld = resolve
  })
  work.catch(() => {})
  await Promise.race([work, held])
  desk.onHeld = undefined
}

/** Before the step that causes the dialog. */
export function armDialog(desk: DialogDesk, answer: DialogAnswer): void {
  desk.answer = answer
  desk.met = undefined
}

/** The step that meets the dialog: it may have come already, or still come. */
export async function awaitDialog(desk: DialogDesk, answer: DialogAnswer, deadline: Deadline): Promise<void> {
  if (!desk.answer) armDialog(desk, answer)
  const met = await pollUntil(deadline, () => desk.met ?? closedAlert(desk), 'local')
  const { unasked } = desk
  desk.answer = undefined
  desk.met = undefined
  desk.unasked = undefined
  if (met) return
  const earlier = unasked ? `; a ${unasked.type} "${unasked.message}" came earlier and was dismissed` : ''
  throw new StepFailure('action', `No dialog opened${earlier}.`, {
    expected: `a dialog to ${answer.accept ? 'accept' : 'dismiss'}`,
    actual: unasked ? `a ${unasked.type} that came before it was expected` : 'no dialog',
    hint: 'Put this step right after the one that opens the dialog.',
  })
}

// An alert has one button: that it was closed unasked comes to the same.
function closedAlert(desk: DialogDesk): SeenDialog | undefined {
  return desk.unasked?.type === 'alert' ? desk.unasked : undefined
}
