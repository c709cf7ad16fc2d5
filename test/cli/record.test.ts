import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import t from 'tap'
import { startShop } from '../../examples/shop/shop.ts'
import { startRecording } from '../../src/cli/record/recorder.ts'
import { compileOrFail, compileScenario } from '../../src/core/scenarios/compiled.ts'
import { openSession } from '../../src/core/scenarios/runtime/session.ts'
import { startBrowser } from '../../src/worker/browser/index.ts'
import { cacheDirectory, log, testBrowser } from '../fixtures/browser.ts'
import { bare, runCli, scratch } from '../fixtures/run-cli.ts'
import { bareOutside, runHere } from '../fixtures/run-here.ts'

// A person clicks through a page, here moved by Playwright; what Molar writes down compiles and passes.

const browser = await startBrowser({ found: await testBrowser(), cacheDirectory, log, sandbox: 'on' })
t.teardown(() => browser.close())

/** Carries out a scenario as a worker does, in this browser; throws what fails. */
async function run(content: string, baseUrl: string, secrets: Record<string, string> = {}): Promise<void> {
  const [compiled] = compileOrFail([{ content }])
  const { settings, steps } = compiled!.plan
  const context = await browser.newContext({ viewport: settings.viewport })
  const session = await openSession(context, settings, {
    baseUrl,
    secrets,
    variables: {},
    env: {},
    data: {},
    run: { id: 'r', user: { id: 'u', email: 'u@example.com' } },
    stepTimeoutMs: settings.step_timeout_ms,
    files: () => Promise.reject(new Error('nothing is uploaded')),
  })
  for (const step of steps) await session.run(step)
  await session.finish()
  await context.close()
}

/** As a hand does it: where the element is, with mouse and keys. */
function hand(page: Page) {
  const place = async (name: string, role: 'button' | 'link' | 'textbox' | 'checkbox' = 'button') => {
    const element = page.getByRole(role, { name }).or(page.getByLabel(name)).first()
    await element.scrollIntoViewIfNeeded()
    const box = (await element.boundingBox())!
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 }
  }
  const rest = () => sleep(700) // the recorder waits whether a click becomes a double one
  return {
    async click(name: string, role?: 'button' | 'link' | 'textbox' | 'checkbox') {
      const { x, y } = await place(name, role)
      await page.mouse.click(x, y)
      await rest()
    },
    async type(name: string, text: string) {
      const { x, y } = await place(name, 'textbox')
      await page.mouse.click(x, y)
      await page.keyboard.type(text)
      await rest()
    },
    async assert(text: string) {
      const element = page.getByText(text).first()
      await element.scrollIntoViewIfNeeded()
      const box = (await element.boundingBox())!
      await page.keyboard.down('Alt')
      await page.keyboard.down('Shift')
      await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2)
      await page.keyboard.up('Shift')
      await page.keyboard.up('Alt')
      await rest()
    },
  }
}

t.test('a login and a purchase are recorded, compile and run green', async (t) => {
  const shop = await startShop({})
  t.teardown(() => shop.close())
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 } })
  const recording = await startRecording(context, {
    url: `${shop.url}/login`,
    slug: 'bought',
    title: 'A mug is bought',
  })
  const { page } = recording
  const person = hand(page)
  await person.type('Email', 'ada@example.com')
  await person.type('Password', 'correct-horse-battery')
  await person.click('Sign in')
  await person.click('Catalogue', 'link')
  await page.getByLabel('Sort by').selectOption({ label: 'Name' })
  await sleep(300)
  await person.click('Find')
  await person.assert('18 products')
  await person.click('Enamel mug', 'link')
  await person.assert('Enamel mug')
  const { content, steps, secrets, leftOut } = await recording.stop()
  await context.close()
  t.same(leftOut, [])
  t.same(secrets, ['PASSWORD'])
  t.notMatch(content, /correct-horse/, 'the password is nowhere in it')
  t.match(
    steps.join('\n'),
    /^Navigate to \/login\nFill textbox "Email" with "ada@example\.com"\nFill textbox "Password" with \$\{secrets\.PASSWORD\}\nClick/,
  )
  t.match(steps.join('\n'), /Select "name" in "Sort by"|Select "Name" in "Sort by"|Select .* in .*Sort by/)
  t.match(steps.join('\n'), /Assert text "18 products" is visible\nClick link "Enamel mug"/)
  await t.resolves(run(content, shop.url, { PASSWORD: 'correct-horse-battery' }), content)
})

t.test('dialogs, new tabs, boxes and asserted fields', async (t) => {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'text/html')
    if (request.url === '/tab') return response.end('<title>Tab</title><button>In the tab</button>')
    response.end(`<title>Odd</title><button onclick="confirm('Sure?')">Ask</button>
      <label><input type=checkbox>Terms</label><label>Name <input value="Ada"></label>
      <button>Save "all" \${x}</button><a href=/tab target=_blank>Open tab</a>
      <form onsubmit="event.preventDefault(); sent.textContent = 'Sent'"><input aria-label=Note><button>Send</button></form><p id=sent></p>`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/odd?a=1`
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 } })
  const recording = await startRecording(context, { url, slug: 'odd', title: 'Odd # things' })
  const { page } = recording
  const person = hand(page)
  page.on('dialog', (dialog) => void dialog.dismiss())
  await page.keyboard.press('Escape')
  await person.click('Ask')
  await person.click('Terms', 'checkbox')
  await person.click('Save "all" ${x}')
  const box = (await page.getByLabel('Name').boundingBox())!
  await page.keyboard.down('Alt')
  await page.keyboard.down('Shift')
  await page.mouse.click(box.x + 5, box.y + 5)
  await page.keyboard.up('Shift')
  await page.keyboard.up('Alt')
  await page.getByLabel('Note').focus()
  await page.keyboard.type('hi')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Space')
  await person.assert('Sent')
  const popup = context.waitForEvent('page')
  await person.click('Open tab', 'link')
  const tab = await popup
  await tab.waitForLoadState()
  await hand(tab).click('In the tab')
  const { content, steps } = await recording.stop()
  await context.close()
  t.same(steps, [
    'Navigate to /odd?a=1',
    'Press Escape',
    'Click button "Ask"',
    'Dismiss dialog',
    'Check checkbox "Terms"',
    'Click button "Save \\"all\\" \\${x}"',
    'Assert "Name" has value "Ada"',
    'Fill textbox "Note" with "hi"',
    'Press Enter in textbox "Note"',
    'Press Tab in textbox "Note"',
    'Press Space in button "Send"',
    'Assert text "Sent" is visible',
    'Click link "Open tab"',
    'Switch to new tab',
    'Click button "In the tab"',
  ])
  await t.resolves(run(content, new URL(url).origin), content)
})

t.test('molar record writes a file when it is told to stop, and never over one', async (t) => {
  const shop = await startShop({})
  t.teardown(() => shop.close())
  const cwd = scratch()
  const record = (args: string[], options = {}) =>
    runCli('molar', ['record', ...args], { cwd, timeoutMs: 60_000, ...options })
  let told = false
  const ran = await record([`${shop.url}/products`, '--headless', '--slug', 'catalogue'], {
    onErr: (said: string, kill: (signal: string) => void) => {
      if (!told && said.includes('Recording.')) kill('SIGINT')
      told ||= said.includes('Recording.')
    },
  })
  t.equal(ran.code, 0, ran.err)
  t.match(ran.err, 'It asserts nothing yet')
  const file = join(cwd, '.molar/scenarios/catalogue.molar.md')
  t.ok(compileScenario(readFileSync(file, 'utf8')).ok)
  const before = process.cwd()
  t.teardown(() => process.chdir(before))
  process.chdir(cwd)
  const refused = (args: string[]) => runHere(['record', ...args], bareOutside(bare()))
  t.match(await refused([shop.url, '--headless', '--slug', 'catalogue']), { code: 5, err: /is there already/ })
  t.match(await refused(['shop']), { code: 2, err: /no http or https URL/ })
  t.match(await refused(['http://127.0.0.1:9/', '--headless', '--slug', 'gone']), { code: 7, err: /cannot be opened/ })
  t.notOk(existsSync(join(cwd, '.molar/scenarios/gone.molar.md')))
  if (process.platform === 'linux') t.match(await refused([shop.url]), { code: 7, err: /needs a display/ })
})
