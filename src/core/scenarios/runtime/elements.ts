import type { Locator } from 'playwright-core'
import type { Target, Value } from '../plan.ts'
import { StepFailure } from './failure.ts'
import { actOn, findOne } from './find.ts'
import { foldText } from './matching.ts'
import type { SessionState } from './state.ts'
import { currentPage, textOf } from './state.ts'
import { describeTarget } from './targets.ts'
import { unseen } from './unseen.ts'
import { secretsIn } from './values.ts'
import type { Deadline } from './waiting.ts'
import { pollUntil, timeLeft } from './waiting.ts'

/** Sets a field's value at once. */
export async function fillField(state: SessionState, target: Target, value: Value, deadline: Deadline): Promise<void> {
  const text = textOf(state, value)
  await actOn(state, target, 'fill', deadline, async (locator, timeout) => {
    await hideSecret(state, locator, value)
    const page = currentPage(state)
    const dates = unseen(page, () => locator.and(page.locator(dateFields)).count()).catch(() => 0)
    await refuseBadValue(target, () => locator.fill(text, { timeout }))
    // Asking a field's value loads Playwright's script into the page once more: only dates are worth it.
    if (text === '' || (await dates) === 0) return
    if (await locator.evaluateAll(refusedDates).catch(() => false)) throw badValue(target)
  })
}

/** Types key by key into a field, or where the focus is. */
export async function typeText(
  state: SessionState,
  target: Target | undefined,
  value: Value,
  deadline: Deadline,
): Promise<void> {
  const text = textOf(state, value)
  if (!target) {
    await hideSecret(state, currentPage(state).locator('css=:focus'), value)
    return currentPage(state).keyboard.type(text)
  }
  // Found and focused first: half-typed text must never be typed again by another try.
  await actOn(state, target, 'fill', deadline, (locator, timeout) => locator.focus({ timeout }))
  const locator = await findOne(state, target, 'fill', deadline)
  await hideSecret(state, locator, value)
  await locator.pressSequentially(text, { timeout: timeLeft(deadline) })
}

/** Before the value is typed: the host hides the field from its pictures first. */
async function hideSecret(state: SessionState, locator: Locator, value: Value): Promise<void> {
  const secrets = secretsIn(value)
  if (secrets.length === 0) return
  state.secretFields.push(locator)
  await state.environment.onEvent?.({ kind: 'secret_filled', locator, secrets })
}

/** Fields that, given "tomorrow", stay empty without a word. */
const dateFields = 'css=input:is([type=date i],[type=time i],[type=datetime-local i],[type=month i],[type=week i])'

// Runs in the page.
function refusedDates(fields: Element[]): boolean {
  return fields.some((field) => field instanceof HTMLInputElement && field.value === '')
}

function badValue(target: Target): StepFailure {
  return new StepFailure('action', `${describeTarget(target)} does not take a value of that form.`, {
    hint: 'Dates are 2026-01-31, times 10:30, months 2026-01, colours #a1b2c3.',
  })
}

// What a field refuses it refuses for good: waiting does not mend it.
async function refuseBadValue(target: Target, fill: () => Promise<void>): Promise<void> {
  try {
    await fill()
  } catch (error) {
    const text = error instanceof Error ? error.message : ''
    if (/Malformed value/.test(text)) throw badValue(target)
    if (/Cannot type text into input\[type=number\]/.test(text)) {
      throw new StepFailure('action', `${describeTarget(target)} takes only a number.`)
    }
    throw error
  }
}

export async function setChecked(
  state: SessionState,
  target: Target,
  checked: boolean,
  deadline: Deadline,
): Promise<void> {
  await actOn(state, target, 'check', deadline, (locator, timeout) => locator.setChecked(checked, { timeout }))
}

interface Choice {
  value: string
  label: string
  disabled: boolean
}

/** Chooses by what a person reads; of a native list or of one made of ARIA roles. */
export async function selectValues(
  state: SessionState,
  target: Target,
  values: Value[],
  deadline: Deadline,
): Promise<void> {
  const wanted = values.map((value) => textOf(state, value))
  const list = await findOne(state, target, 'select', deadline)
  const native = await list.evaluate((element) => element.tagName === 'SELECT', undefined, {
    timeout: timeLeft(deadline),
  })
  if (!native) return selectFromMadeList(state, target, wanted, deadline)
  let choices: Choice[] = []
  const picked = await pollUntil(deadline, async () => {
    choices = await list.evaluate(choicesOf, undefined, { timeout: timeLeft(deadline) })
    return pickChoices(choices, wanted)
  })
  if (!picked) throw noSuchChoice(target, wanted, choices)
  const asked = picked.map(({ value, label }) => ({ value, label }))
  await actOn(state, target, 'select', deadline, async (locator, timeout) => {
    await locator.selectOption(asked, { timeout })
  })
}

// Runs in the page.
function choicesOf(element: Element): Choice[] {
  return [...(element as HTMLSelectElement).options].map(({ value, label, disabled }) => ({ value, label, disabled }))
}

function pickChoices(choices: Choice[], wanted: string[]): Choice[] | undefined {
  const usable = choices.filter((choice) => !choice.disabled)
  const picked = wanted.map((text) => {
    const whole = usable.filter((choice) => foldText(choice.label) === foldText(text))
    if (whole[0]) return whole[0]
    const byValue = usable.find((choice) => choice.value === text)
    const part = usable.filter((choice) => foldText(choice.label).includes(foldText(text)))
    return byValue ?? (part.length === 1 ? part[0] : undefined)
  })
  return picked.every((choice) => choice !== undefined) ? picked : undefined
}

function noSuchChoice(target: Target, wanted: string[], choices: Choice[]): StepFailure {
  const offered = choices.map((choice) => `"${choice.label}"${choice.disabled ? ' (disabled)' : ''}`)
  return new StepFailure(
    'action',
    `${describeTarget(target)} does not offer ${wanted.map((one) => `"${one}"`).join(', ')}.`,
    {
      expected: wanted.join(', '),
      actual: offered.slice(0, 20).join(', ') || 'no choices',
      candidates: choices
        .slice(0, 5)
        .map(({ label }) => ({ description: label, locator: `"${label}"`, why: 'can be chosen' })),
    },
  )
}

async function selectFromMadeList(
  state: SessionState,
  target: Target,
  wanted: string[],
  deadline: Deadline,
): Promise<void> {
  for (const name of wanted) {
    const open = await findOne(state, target, 'select', deadline)
    const isList = (await open.getAttribute('role', { timeout: timeLeft(deadline) })) === 'listbox'
    if (!isList && (await open.getAttribute('aria-expanded', { timeout: timeLeft(deadline) })) !== 'true') {
      await actOn(state, target, 'select', deadline, (locator, timeout) => locator.click({ timeout }))
    }
    // The list itself often hangs at the end of the page, not inside what opens it.
    const option: Target = { by: 'role', role: 'option', name, ...(isList ? { within: target } : {}) }
    await actOn(state, option, 'click', deadline, (locator, timeout) => locator.click({ timeout }))
  }
}

/** Gives a file to a file field, or to the file chooser that a click on the target opens. */
export async function uploadFile(state: SessionState, target: Target, name: string, deadline: Deadline): Promise<void> {
  const file = await readUpload(state, name)
  const locator = await findOne(state, target, 'file', deadline)
  const isField = await locator.evaluate(takesFile, undefined, { timeout: timeLeft(deadline) })
  if (isField) return locator.setInputFiles(file, { timeout: timeLeft(deadline) })
  const chooser = currentPage(state).waitForEvent('filechooser', { timeout: timeLeft(deadline) })
  chooser.catch(() => {})
  await locator.click({ timeout: timeLeft(deadline) })
  try {
    await (await chooser).setFiles(file)
  } catch {
    throw new StepFailure(
      'action',
      `${describeTarget(target)} takes no file: it is no file field, and no file chooser opened.`,
    )
  }
}

// Runs in the page. A label stands for its field.
function takesFile(element: Element): boolean {
  const field = element instanceof HTMLLabelElement ? element.control : element
  return field instanceof HTMLInputElement && field.type === 'file'
}

async function readUpload(state: SessionState, name: string) {
  try {
    return await state.environment.files(name)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StepFailure('environment', `The file "${name}" cannot be read: ${reason}`)
  }
}
