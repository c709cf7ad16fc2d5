/**
 * A whole run through the product, side by side with the same flow without a trace and with `npx playwright test`, trace on:
 * `node bench/run.ts [rounds] [playwright rounds]`.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { readConfig } from '../src/config.ts'
import { compileScenario } from '../src/core/scenarios/compiled.ts'
import { openSession } from '../src/core/scenarios/runtime/session.ts'
import { stopEmbedded } from '../src/db/embedded.ts'
import { serve } from '../src/server/serve.ts'
import { findBrowser, startBrowser } from '../src/worker/browser/index.ts'
import { ratio, spread, tell, timeLeft } from './row.ts'

const rounds = Number(process.argv[2] ?? 12)
const playwrightRounds = Number(process.argv[3] ?? 5)
/** A worker is warm once V8 has compiled what a run needs. */
const warmRounds = 8
const directory = mkdtempSync(join(tmpdir(), 'molar-bench-run-'))
const log = pino({ level: process.env.BENCH_LOG ?? 'silent' }, pino.destination(2))
const page = `<!doctype html><title>shop</title><h1>Shop</h1><label>Name <input id=n></label><label>Mail <input id=m></label>
<button onclick="fetch('/api').then(r=>r.text()).then(x=>{o.textContent=x+n.value})">Save</button><p id=o></p><a href=/next>next</a>`
const app = createServer((request, response) => {
  const isApi = request.url === '/api'
  response.setHeader('content-type', isApi ? 'text/plain' : 'text/html').end(isApi ? 'saved ' : page)
})
await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${(app.address() as AddressInfo).port}`

const scenario = `---
spec_version: '1.0'
id: 01a20038-217c-7ebc-8e06-9e1248760001
slug: bench
description: Ten steps.
tags: [bench]
base_url: ${origin}
---

# Bench

## Steps

1. Navigate to /
2. Fill "Name" with "Ada"
3. Fill "Mail" with "ada@example.com"
4. Click button "Save"
5. Assert text "saved Ada" is visible
6. Click link "next"
7. Assert url matches /next
8. Fill "Name" with "Eve"
9. Click button "Save"
10. Assert text "saved Eve" is visible
`
const spec = `import { expect, test } from '@playwright/test'
test('bench', async ({ page }) => {
  await page.goto('${origin}/')
  await page.getByLabel('Name').fill('Ada')
  await page.getByLabel('Mail').fill('ada@example.com')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('saved Ada')).toBeVisible()
  await page.getByRole('link', { name: 'next' }).click()
  await expect(page).toHaveURL(/next/)
  await page.getByLabel('Name').fill('Eve')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('saved Eve')).toBeVisible()
})
`

const config = readConfig({ MOLAR_HOME: join(directory, 'home'), MOLAR_PORT: '0', MOLAR_WORKERS: '1' })
const server = await serve(config, { log, version: '0' })
const token = readFileSync(join(config.home, 'key'), 'utf8')
const found = await findBrowser({ cacheDirectory: join(directory, 'browsers'), log })
if (!found) throw new Error('No browser.')
const warm = await startBrowser({ found, cacheDirectory: join(directory, 'browsers'), log, sandbox: 'on' })
await rest('POST', '/v1/scenarios', { content: scenario })
preparePlaywright()

async function rest(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const response = await fetch(server.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
  const answer = (await response.json()) as Record<string, unknown>
  if (!response.ok) throw new Error(JSON.stringify(answer))
  return answer
}

async function throughMolar(): Promise<void> {
  const { id } = await rest('POST', '/v1/runs/manual', { scenario_id: 'bench' })
  const { verdict } = await rest('GET', `/v1/runs/${id}/wait?seconds=50`)
  if (verdict !== 'passed') throw new Error(`The run ended ${verdict}.`)
}

const compiled = compileScenario(scenario)
if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems))
const { plan } = compiled

async function untraced(): Promise<void> {
  const context = await warm.newContext({
    viewport: { width: plan.settings.viewport.width, height: plan.settings.viewport.height },
  })
  const session = await openSession(context, plan.settings, {
    baseUrl: origin,
    variables: {},
    env: {},
    secrets: {},
    run: { id: 'bench', user: { id: 'bench', email: 'bench@molar.invalid' } },
    data: {},
    stepTimeoutMs: plan.settings.step_timeout_ms,
    files: async () => {
      throw new Error('No files here.')
    },
  })
  for (const step of plan.steps) await session.run(step)
  await session.finish()
  await context.close()
}

function preparePlaywright(): void {
  mkdirSync(join(directory, 'spec'))
  symlinkSync(fileURLToPath(new URL('../node_modules', import.meta.url)), join(directory, 'node_modules'))
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}')
  writeFileSync(join(directory, 'spec', 'bench.spec.ts'), spec)
  writeFileSync(
    join(directory, 'playwright.config.ts'),
    `export default { testDir: './spec', workers: 1, reporter: 'line', use: { trace: 'on', launchOptions: { executablePath: ${JSON.stringify(found!.path)}${found!.libraryPath ? `, env: { ...process.env, LD_LIBRARY_PATH: ${JSON.stringify(found!.libraryPath)} }` : ''} } } }`,
  )
}

const playwright = (): Promise<void> =>
  new Promise((resolve, reject) => {
    execFile('npx', ['playwright', 'test'], { cwd: directory, timeout: 60_000 }, (error, stdout, stderr) =>
      error ? reject(new Error(`${stdout}\n${stderr}`)) : resolve(),
    )
  })

const cases: [name: string, run: () => Promise<void>, rounds: number][] = [
  ['untraced flow', untraced, rounds],
  ['molar run, queue to verdict', throughMolar, rounds],
  ['npx playwright test, trace on', playwright, playwrightRounds],
]
const times = new Map<string, number[]>(cases.map(([name]) => [name, []]))
try {
  for (let round = -warmRounds; round < rounds && (round <= 0 || timeLeft()); round++) {
    for (const [name, run, most] of cases) {
      if (round >= most || (round < -1 && most < rounds)) continue
      const started = performance.now()
      await run()
      if (round >= 0) times.get(name)!.push(performance.now() - started)
    }
  }
  report()
} finally {
  await warm.close()
  await server.close()
  await stopEmbedded(config.home)
  app.closeAllConnections()
  app.close()
  rmSync(directory, { recursive: true, force: true })
}

function report(): void {
  const [untracedTimes, molarTimes, playwrightTimes] = cases.map(([name]) => times.get(name)!) as [
    number[],
    number[],
    number[],
  ]
  tell({
    what: 'traced 10-step run / the flow untraced',
    value: ratio(molarTimes, untracedTimes),
    most: 1.6,
    detail: `${spread(molarTimes)} against ${spread(untracedTimes)} ms, ${found!.kind} ${found!.version}`,
  })
  if (playwrightRounds > 0)
    tell({
      what: 'npx playwright test, trace on / traced 10-step run',
      value: ratio(playwrightTimes, molarTimes),
      least: 4,
      detail: `${spread(playwrightTimes)} against ${spread(molarTimes)} ms`,
    })
}
