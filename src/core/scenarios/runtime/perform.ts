import type { PlanStep } from '../plan.ts'
import { clickOn, downloadFile, dragOnto, pressKey, switchFrame } from './actions.ts'
import type { PageAssertion } from './assertions.ts'
import { answerAt, pageQuestion, settleQuestion, textsOf, valuesOf } from './assertions.ts'
import { setCondition } from './conditions.ts'
import { awaitDialog } from './dialogs.ts'
import { fillField, selectValues, setChecked, typeText, uploadFile } from './elements.ts'
import { StepFailure } from './failure.ts'
import { actOn, findOne } from './find.ts'
import { foldSpace } from './matching.ts'
import { moveInHistory, navigateTo } from './navigation.ts'
import { takePicture, takeSnapshot } from './pictures.ts'
import type { RecordAssertion, Records } from './records.ts'
import { recordQuestion } from './records.ts'
import { makeRequest } from './requests.ts'
import type { SessionState } from './state.ts'
import { textOf } from './state.ts'
import { closeTab, switchTab } from './tabs.ts'
import type { Deadline } from './waiting.ts'
import { timeLeft } from './waiting.ts'
import { waitStep } from './waits.ts'

/** One step, whatever its verb. */
export async function performStep(
  state: SessionState,
  records: Records,
  step: PlanStep,
  deadline: Deadline,
): Promise<void> {
  switch (step.verb) {
    case 'navigate':
      return navigateTo(state, textOf(state, step.to), deadline)
    case 'back':
    case 'forward':
    case 'reload':
      return moveInHistory(state, step.verb, deadline)
    case 'click':
      return clickOn(state, step, deadline)
    case 'fill':
      return fillField(state, step.target, step.value, deadline)
    case 'clear':
      return fillField(state, step.target, '', deadline)
    case 'type':
      return typeText(state, step.target, step.value, deadline)
    case 'check':
    case 'uncheck':
      return setChecked(state, step.target, step.verb === 'check', deadline)
    case 'hover':
      return actOn(state, step.target, 'click', deadline, (locator, timeout) => locator.hover({ timeout }))
    case 'focus':
      return actOn(state, step.target, 'click', deadline, (locator, timeout) => locator.focus({ timeout }))
    case 'scroll':
      return actOn(state, step.target, 'see', deadline, (locator, timeout) =>
        locator.scrollIntoViewIfNeeded({ timeout }),
      )
    case 'select':
      return selectValues(state, step.target, step.values, deadline)
    case 'press':
      return pressKey(state, step.key, step.target, deadline)
    case 'drag':
      return dragOnto(state, step.target, step.to, deadline)
    case 'upload':
      return uploadFile(state, step.target, textOf(state, step.file), deadline)
    case 'dialog': {
      const text = step.value === undefined ? undefined : textOf(state, step.value)
      return awaitDialog(state.dialogs, { accept: step.accept, ...(text === undefined ? {} : { text }) }, deadline)
    }
    case 'switch_tab':
      return switchTab(state, step.title === undefined ? undefined : textOf(state, step.title), deadline)
    case 'close_tab':
      return closeTab(state, deadline)
    case 'switch_frame':
      return switchFrame(state, step.target, deadline)
    case 'switch_main':
      state.frame = undefined
      return
    case 'download':
      return keepDownload(state, records, step, deadline)
    case 'wait_time':
    case 'wait_target':
    case 'wait_text':
    case 'wait_url':
    case 'wait_response':
    case 'wait_request':
    case 'wait_webhook':
      return waitStep(state, step, deadline)
    case 'assert':
      return assertStep(state, records, step, deadline)
    case 'remember':
      return rememberValue(state, step, deadline)
    case 'request':
      return makeRequest(state, step, deadline)
    case 'snapshot':
      return takeSnapshot(state, step)
    case 'screenshot':
      return takePicture(state, step, deadline)
    case 'debug':
      state.environment.onEvent?.({ kind: 'debug', step_id: step.step_id })
      return
    default:
      return setCondition(state, step)
  }
}

async function keepDownload(
  state: SessionState,
  records: Records,
  step: PlanStep & { verb: 'download' },
  deadline: Deadline,
): Promise<void> {
  const kept = await downloadFile(state, step.target, deadline)
  records.downloads.set(step.as, kept)
  state.environment.onEvent?.({ kind: 'download', as: step.as, file_name: kept.fileName, download: kept.download })
}

const recordSubjects = new Set([
  'page_status',
  'response_status',
  'response_path',
  'download',
  'no_console_errors',
  'no_failed_requests',
  'value',
  'clone',
])

async function assertStep(
  state: SessionState,
  records: Records,
  step: PlanStep & { verb: 'assert' },
  deadline: Deadline,
): Promise<void> {
  const question = recordSubjects.has(step.subject)
    ? recordQuestion(state, step as RecordAssertion, records)
    : pageQuestion(state, step as PageAssertion, deadline)
  const event = { kind: 'assertion' as const, step_id: step.step_id, text: step.text }
  try {
    await settleQuestion(state, step, question, deadline)
    state.environment.onEvent?.({ ...event, passed: true, expected: question.expected })
  } catch (error) {
    const { expected, actual } = error instanceof StepFailure ? error : {}
    state.environment.onEvent?.({
      ...event,
      passed: false,
      ...(expected ? { expected } : {}),
      ...(actual ? { actual } : {}),
    })
    throw error
  }
}

async function rememberValue(
  state: SessionState,
  step: PlanStep & { verb: 'remember' },
  deadline: Deadline,
): Promise<void> {
  state.remembered[step.as] = await valueToRemember(state, step.from, deadline)
  state.environment.onEvent?.({ kind: 'remembered', name: step.as })
}

async function valueToRemember(
  state: SessionState,
  from: (PlanStep & { verb: 'remember' })['from'],
  deadline: Deadline,
): Promise<string> {
  if (from.what === 'response') {
    const { found, text } = answerAt(state, from.path)
    if (found) return text
    throw new StepFailure('action', `The last response has nothing at ${from.path}.`)
  }
  const locator = await findOne(state, from.target, from.what === 'value' ? 'value' : 'see', deadline)
  const texts = await locator.evaluate(from.what === 'value' ? valuesOf : textsOf, undefined, {
    timeout: timeLeft(deadline),
  })
  return from.what === 'text' ? foldSpace(texts[0] ?? '') : (texts[0] ?? '')
}
