/**
 * Ratios of the browser's side, measured side by side and alternating: `node bench/browser.ts [rounds]`.
 * As root on Linux the first pair compares a sandboxed browser under its own uid with one in this process without a sandbox.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { findBrowser, holdToOrigins, startBrowser } from '../src/worker/browser/index.ts'
import { makeRedactor, recordEvidence, scrubTrace } from '../src/worker/evidence/index.ts'
import { quantile, spread, tell } from './row.ts'

const rounds = Number(process.argv[2] ?? 12)
const log = { debug() {}, info() {}, warn() {} }
const directory = mkdtempSync(join(tmpdir(), 'molar-bench-'))
const form = `<title>shop</title><label>Name <input id=n></label><label>Mail <input id=m></label><button onclick="fetch('/api').then(r=>r.text()).then(x=>{o.textContent=x+n.value})">Save</button><p id=o></p><a href=/next>next</a>`
const server = createServer((request, response) => {
  response
    .setHeader('content-type', request.url === '/api' ? 'text/plain' : 'text/html')
    .end(request.url === '/api' ? 'saved ' : form)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const found = await findBrowser({ cacheDirectory: directory, log })
if (!found) throw new Error('No browser.')
const warm = await startBrowser({ found, cacheDirectory: directory, log, sandbox: 'on' })
const local = await chromium.launch({ executablePath: found.path, chromiumSandbox: false })

type Contexts = { newContext(options?: BrowserContextOptions): Promise<BrowserContext> }
type Step = (page: Page) => Promise<unknown>
const steps: Step[] = [
  (page) => page.goto(origin),
  (page) => page.fill('#n', 'Ada'),
  (page) => page.fill('#m', 'ada@example.com'),
  (page) => page.click('button'),
  (page) => page.getByText('saved Ada').waitFor(),
  (page) => page.click('a'),
  (page) => page.waitForURL(`${origin}/next`),
  (page) => page.fill('#n', 'Eve'),
  (page) => page.click('button'),
  (page) => page.getByText('saved Eve').waitFor(),
]

async function plain(
  browser: Contexts,
  options?: BrowserContextOptions,
  before?: (context: BrowserContext) => Promise<unknown>,
): Promise<void> {
  const context = await browser.newContext(options)
  await before?.(context)
  const page = await context.newPage()
  for (const step of steps) await step(page)
  await context.close()
}

async function recorded(options: { trace: boolean; pictures: boolean; scrub?: boolean }): Promise<void> {
  const context = await warm.newContext()
  const redact = makeRedactor({ KEY: 'some-secret-value' })
  const evidence = await recordEvidence(context, { emit() {}, redact, browserUid: warm.uid, ...options })
  const page = await context.newPage()
  for (const [index, step] of steps.entries()) {
    await evidence.currentStep(`s${index}`)
    await step(page)
    await evidence.picture(page)
  }
  const { trace: files } = await evidence.stop()
  if (files && options.scrub) await scrubTrace(files, redact)
  await context.close()
}

const hold = await holdToOrigins({ allowed: [origin], onRefused() {} })
const held = (context: BrowserContext) =>
  context.route('**/*', (route) =>
    new URL(route.request().url()).origin === origin ? route.continue() : route.abort(),
  )
const cases: Record<string, () => Promise<unknown>> = {
  'local, no sandbox': () => plain(local as Browser),
  'sandboxed, own process': () => plain(warm),
  'held to origins by proxy': () => plain(warm, hold.context),
  'held to origins by interception': () => plain(warm, {}, held),
  events: () => recorded({ trace: false, pictures: false }),
  'events, trace': () => recorded({ trace: true, pictures: false }),
  'events, trace, scrubbed': () => recorded({ trace: true, pictures: false, scrub: true }),
  'events, trace, picture each step': () => recorded({ trace: true, pictures: true }),
  'context and page alone': async () => {
    const context = await warm.newContext()
    await context.newPage()
    await context.close()
  },
}

const times = new Map<string, number[]>(Object.keys(cases).map((name) => [name, []]))
for (let round = -2; round < rounds; round++) {
  for (const [name, run] of Object.entries(cases)) {
    const started = performance.now()
    await run()
    if (round >= 0) times.get(name)!.push(performance.now() - started)
  }
}

// The quarter mark: what a machine does that has other things to do is mostly above it.
const typical = (name: string) => quantile(times.get(name)!, 0.25)
for (const [name, list] of times)
  tell({ what: `10 steps: ${name}`, value: typical(name), unit: 'ms', detail: `${spread(list)} ms` })
const ratios: [string, string, string][] = [
  ['sandboxed against local', 'sandboxed, own process', 'local, no sandbox'],
  ['held by proxy against not held', 'held to origins by proxy', 'sandboxed, own process'],
  ['held by interception against not held', 'held to origins by interception', 'sandboxed, own process'],
  ['events against none', 'events', 'sandboxed, own process'],
  ['traced against untraced', 'events, trace', 'sandboxed, own process'],
  ['traced and scrubbed against untraced', 'events, trace, scrubbed', 'sandboxed, own process'],
  ['traced with pictures against untraced', 'events, trace, picture each step', 'sandboxed, own process'],
]
for (const [what, one, other] of ratios) tell({ what, value: typical(one) / typical(other) })

await Promise.all([warm.close(), local.close(), hold.close()])
server.closeAllConnections()
server.close()
rmSync(directory, { recursive: true, force: true })
