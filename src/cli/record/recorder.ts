import type { BrowserContext, Page } from 'playwright-core'
import { type Recorded, stepsOfRecording } from '../../core/scenarios/import/recording.ts'
import { write } from '../../core/scenarios/import/spec.ts'
import { escapeText } from '../../core/scenarios/import/values.ts'
import type { LeftOut } from '../../core/scenarios/import/walk.ts'
import { type Told, watchPage } from './in-page.ts'

export interface Recording {
  page: Page
  /** Resolves when the person has closed the last page. */
  closed: Promise<void>
  /** Called with each step as it is made, for who watches. */
  stop(): Promise<RecordedScenario>
}

export interface RecordedScenario {
  content: string
  steps: string[]
  secrets: string[]
  /** What was done and has no step. */
  leftOut: LeftOut[]
}

/** Playwright's own recorder, which its types keep to themselves; the version is pinned, and a test holds it. */
interface RecordingContext {
  _startRecording(
    options: { language: string },
    sink: Record<'actionAdded' | 'actionUpdated' | 'signalAdded', (page: Page, action: object, code: string) => void>,
  ): Promise<void>
  _stopRecording(): Promise<void>
}

const binding = '__molarTold'

/** Opens the URL in this context and writes down what is done there, until it is stopped. */
export async function startRecording(
  context: BrowserContext,
  { url, slug, title }: { url: string; slug: string; title: string },
): Promise<Recording> {
  const recorded: Recorded[] = []
  const passwords = new Set<string>()
  let focused = true
  await context.exposeBinding(binding, (_source, told: Told) => {
    if (told.what === 'password') passwords.add(told.value)
    else if (told.what === 'key') focused = told.focused
    else recorded.push({ step: assertion(told) })
  })
  await context.addInitScript(`(${watchPage.toString()})(${JSON.stringify(binding)})`)
  const typed = watchAddresses(context)
  const recorder = context as unknown as RecordingContext
  /** Of what the recorder may have more to say, and the press that it tells as the click which the browser made of it. */
  let at = -1
  let press: string | undefined
  const added = (action: { name?: string; clickCount?: number }, code: string) => {
    // Enter sends a form by a click on its button, Space presses one: the key did it, and does it again.
    const keyed = action.name === 'click' && action.clickCount === 0
    at = keyed ? recorded.findLastIndex((one) => 'code' in one && one.code.includes('.press(')) : recorded.length
    const before = recorded[at]
    press = before && 'code' in before ? before.code : undefined
    if (!keyed) recorded.push({ code: focused ? code : pressOnPage(code) })
  }
  const more = (code: string) => {
    if (at < 0 || code === '') return
    recorded[at] = { code: press === undefined ? code : code.replace(/^.*\.click\(.*$/m, () => press ?? '') }
  }
  const page = await context.newPage()
  await page.goto(url)
  await recorder._startRecording(
    { language: 'javascript' },
    {
      actionAdded: (_page, action, code) => added(action, code),
      actionUpdated: (_page, _action, code) => more(code),
      signalAdded: (_page, _signal, code) => more(code),
    },
  )
  // In the page it hears nothing until it has been told that it records. It has asked: who asks the same is answered later.
  await page.evaluate('window.__pw_recorderState?.()').catch(() => undefined)
  return {
    page,
    closed: untilClosed(context),
    async stop() {
      await recorder._stopRecording().catch(() => {})
      const { origin, pathname, search } = new URL(url)
      const made = stepsOfRecording(recorded, { origin, passwords, typed })
      const steps = [`Navigate to ${pathname}${search}`, ...made.steps]
      const content = write({ slug, title, steps, scope: { secrets: made.secrets }, baseUrl: origin })
      return { content, steps, secrets: [...made.secrets], leftOut: made.leftOut }
    },
  }
}

function assertion(told: Exclude<Told, { what: 'password' | 'key' }>): string {
  if (told.what === 'text') return `Assert text "${escapeText(told.text)}" is visible`
  const label = `"${escapeText(told.label)}"`
  if (told.what === 'checked') return `Assert ${label} is ${told.checked ? 'checked' : 'unchecked'}`
  return `Assert ${label} has value "${escapeText(told.value)}"`
}

/** Addresses that the person went to: what a page opens by itself follows from the step before it. */
function watchAddresses(context: BrowserContext): Set<string> {
  const typed = new Set<string>()
  context.on('request', (request) => {
    if (!request.isNavigationRequest()) return
    const note = (headers: Record<string, string>) => {
      const site = headers['sec-fetch-site']
      if (site === 'none' || (site === undefined && headers.referer === undefined)) typed.add(request.url())
    }
    request.allHeaders().then(note, () => {})
  })
  return typed
}

/** A key that no element got: the recorder would name the whole page by its text. */
const pressOnPage = (code: string) => code.replace(/await (page\d*)\..*\.press\(/, 'await $1.keyboard.press(')

function untilClosed(context: BrowserContext): Promise<void> {
  return new Promise((resolve) => {
    const look = () => context.pages().length === 0 && resolve()
    const watch = (page: Page) => page.once('close', look)
    context.pages().forEach(watch)
    context.on('page', watch)
    context.once('close', () => resolve())
  })
}
