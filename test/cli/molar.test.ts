import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { attachEmbedded, silentLog } from '../../src/db/index.ts'
import { bare, collect, entries, type Ran, scratch } from '../fixtures/run-cli.ts'
import { bareOutside, runHere } from '../fixtures/run-here.ts'

/**
 * The whole of Molar as its users start it: bin/molar.js, a home of its own, the embedded database, a real browser. What
 * is no matter of processes is asked from this one, of `molar serve` where there must be a server, since each start of a
 * browser costs seconds.
 */
const home = scratch()
const project = scratch()
const cwd = process.cwd()
process.chdir(project)
const env = { MOLAR_HOME: home, MOLAR_WORKERS: '1' }
const here = (args: string[], more: Record<string, string> = {}) =>
  runHere(args, bareOutside(bare({ ...env, ...more })))

const web = createServer((request, response) => {
  if (request.url === '/slow') return
  response.setHeader('content-type', 'text/html').end('<title>Home</title><h1>Welcome</h1><button>Pay</button>')
})
await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
const base = `http://127.0.0.1:${(web.address() as AddressInfo).port}`

let served: ChildProcess | undefined
t.teardown(async () => {
  served?.kill('SIGKILL')
  await here(['db', 'stop'])
  process.chdir(cwd)
  web.closeAllConnections()
  web.close()
})

const scenario = (place: number, slug: string, steps: string, more = '') => `---
spec_version: '1.0'
id: 019301c0-cafe-7000-bea7-00000000000${place}
slug: ${slug}
description: A test.
tags: [${slug}]
${more}---
# ${slug}

## Steps
${steps}
`
const folder = join(project, '.molar/scenarios')
mkdirSync(folder, { recursive: true })
writeFileSync(join(project, '.molar.md'), `# Shop\n\nbase_url: ${base}\n`)
writeFileSync(
  join(folder, 'good.molar.md'),
  scenario(1, 'good', '1. Navigate to /\n2. Assert text "Welcome" is visible'),
)
writeFileSync(
  join(folder, 'bad.molar.md'),
  scenario(
    2,
    'bad',
    '1. Navigate to /\n2. Assert text "${greeting}" is visible {timeout: 500ms}',
    'variables: { greeting: Goodbye }\n',
  ),
)

/** A Node that is too old for Molar, if this machine has one. */
async function olderNode(): Promise<string | undefined> {
  const found = await collect('bash', ['-c', 'type -ap node'])
  for (const path of new Set(found.out.trim().split('\n'))) {
    const { out } = await collect(path, ['--version'])
    if (Number(out.slice(1).split('.')[0]) < 24) return path
  }
  return undefined
}

// An older Node hands over to the one that npm brought, with arguments, exit code and signals.
const old = await olderNode()
/** The whole of its output, and what is in it of the trace that failed. */
let all: Ran

t.test('run reads the project, tells progress and verdicts, and exits with 1 when one is not passed', async (t) => {
  all = await collect(old ?? process.execPath, [entries.molar, 'run', '--ci'], { env, cwd: project, timeoutMs: 90_000 })
  t.equal(all.code, 1, all.err)
  t.match(all.out, /✗ bad +failed[^\n]*\n✓ good +passed/)
  t.match(all.out, 'step     2 of 2, line 13: Assert text')
  t.match(all.out, /trace +[0-9a-f-]{36}: molar traces report/)
  t.match(all.out, '1 passed, 1 failed')
  t.match(all.err, 'good: ✓ 1/2 Navigate to /')
  t.notMatch(all.out + all.err, '\u001b')
})

t.test('run refuses what cannot run before anything runs', async (t) => {
  const cases: [string[], string][] = [
    [['run', 'no-such.molar.md'], 'There is no file or folder no-such.molar.md'],
    [['run', '.molar/scenarios', '--var', 'nobody=1'], '--var nobody'],
    [['run', '--timeout', 'soon'], '--timeout is "soon"'],
    [['run', '--tag', 'none'], 'has the tag none'],
    [['init', 'no-such-folder'], 'no-such-folder'],
    [['db', 'explode'], 'status, stop, reset or gc'],
    [['db', 'reset'], '--yes'],
    [['serve', '--port', 'x'], '--port is "x"'],
    [['mcp', '--toolsets', 'nonsense'], 'nonsense'],
  ]
  for (const [args, said] of cases) {
    const ran = await here(args)
    t.equal(ran.code, 2, `${args.join(' ')}: ${ran.err}`)
    t.match(ran.err, said)
  }
  writeFileSync(join(project, 'broken.molar.md'), scenario(3, 'broken', '1. Clik "Pay"'))
  const broken = await here(['run', 'broken.molar.md'])
  t.equal(broken.code, 2)
  t.match(broken.err, /broken\.molar\.md:11:\d+-11:\d+ MOLAR_S001/)
})

const interrupted = `a run that nobody waits for any more is cancelled${old ? ', by way of an older Node too' : ''}`

t.test(interrupted, async (t) => {
  writeFileSync(join(project, 'slow.molar.md'), scenario(4, 'slow', '1. Navigate to /\n2. Wait 60s {timeout: 90s}'))
  const stopped = await collect(old ?? process.execPath, [entries.molar, 'run', 'slow.molar.md'], {
    env,
    cwd: project,
    timeoutMs: 90_000,
    onErr: (said, kill) => said.includes('1/2') && kill('SIGINT'),
  })
  t.equal(stopped.code, 130, stopped.err)
  if (old) t.match((await collect(old, [entries.molar, '--version'])).out, /^\d+\.\d+\.\d+\n$/)
})

t.test('serve answers over HTTP until it is told to stop, and the CLI works against it', async (t) => {
  const child = spawn(process.execPath, [entries.molar, 'serve', '--port', '0'], { env: bare(env), stdio: 'pipe' })
  served = child
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text
      const found = /Molar is at (http:\S+)/.exec(err)?.[1]
      if (found) resolve(found)
    })
    child.once('exit', () => reject(new Error(err)))
  })
  const key = readFileSync(join(home, 'key'), 'utf8').trim()
  t.equal(statSync(join(home, 'key')).mode & 0o777, 0o600)
  const asked = (args: string[]) => here(args, { MOLAR_URL: url, MOLAR_API_KEY: key })

  const traceId = /trace +([0-9a-f-]{36})/.exec(all.out)?.[1] ?? ''
  const report = await asked(['traces', 'report', traceId])
  t.equal(report.code, 0, report.err)
  t.match(report.out, 'Goodbye')

  const ran = await here(['run', '.molar/scenarios/good.molar.md', '--url', url, '--json'], { MOLAR_API_KEY: key })
  t.equal(ran.code, 0, ran.err)
  t.match(JSON.parse(ran.out), { verdict: 'passed', passed: 1, failed: 0, runs: [{ slug: 'good', status: 'passed' }] })

  const mended = await asked(['run', '--tag', 'bad', '--var', 'greeting=Welcome', '--json'])
  t.equal(mended.code, 0, mended.err)
  t.match(JSON.parse(mended.out), { runs: [{ slug: 'bad' }] })

  const late = await asked(['run', 'slow.molar.md', '--timeout', '2s'])
  t.equal(late.code, 130, late.err)
  const slow = async () => JSON.parse((await asked(['runs', 'list', '--scenario', 'slow', '--json'])).out).items
  const [cancelled] = await slow()
  await asked(['runs', 'wait', cancelled.id])
  const statuses = (await slow()).map(({ status }: { status: string }) => status)
  t.same(statuses, ['aborted', 'aborted'], 'this one, and the one that was interrupted')

  await t.test('answers that are files are written, below the folder alone, and never over another file', async (t) => {
    const made = await asked(['scenarios', 'new', 'fresh'])
    t.equal(made.code, 0, made.err)
    const path = join(folder, 'fresh.molar.md')
    t.ok(existsSync(path))
    writeFileSync(path, readFileSync(path, 'utf8').replace('# Fresh', '# Mine'))
    const again = await asked(['scenarios', 'new', 'fresh'])
    t.equal(again.code, 5)
    t.match(readFileSync(path, 'utf8'), '# Mine')
    const compiled = await asked(['scenarios', 'compile', '.molar/scenarios/good.molar.md'])
    t.equal(compiled.code, 0, compiled.err)
    t.match(readFileSync(join(folder, 'good.spec.ts'), 'utf8'), '@playwright/test')
    const valid = await asked(['scenarios', 'validate', 'broken.molar.md', '--json'])
    t.equal(valid.code, 1)
    t.match(JSON.parse(valid.out), { valid: false, problems: [{ code: 'MOLAR_S001' }] })
  })

  const code = new Promise((resolve) => child.once('close', resolve))
  child.kill('SIGTERM')
  t.equal(await code, 0, err)
  t.equal(out, '', 'stdout stays empty')
})

t.test('doctor says what is there and what mends the rest; 7 when something needed is missing', async (t) => {
  const well = await here(['doctor', '--json'])
  const answer = JSON.parse(well.out)
  t.equal(well.code, 0, well.out)
  t.same(
    answer.checks.map((check: { name: string }) => check.name),
    ['node', 'home', 'disk', 'database', 'browser', 'sandbox', 'port', 'server'],
  )
  t.ok(answer.healthy)
  const none = { MOLAR_CHROMIUM_PATH: '/nonexistent' }
  t.match(await here(['doctor'], none), { code: 7, out: '✗ browser' })
  const away = await here(['doctor', '--json'], { ...none, MOLAR_URL: 'http://127.0.0.1:9' })
  t.equal(away.code, 7)
  const needed = JSON.parse(away.out).checks.filter(
    (check: { ok: boolean; needed: boolean }) => check.needed && !check.ok,
  )
  t.same(
    needed.map((check: { name: string }) => check.name),
    ['server'],
    'with a server elsewhere no browser is needed here',
  )
})

t.test('db tells what runs, stops it and deletes it', async (t) => {
  const status = async () => JSON.parse((await here(['db', 'status', '--json'])).out)
  const held = await attachEmbedded({ home, applicationName: 'test:db', log: silentLog })
  t.match(await status(), { home, state: 'running' })
  t.equal((await here(['db', 'stop'])).code, 0)
  t.match(await status(), { state: 'stopped' })
  await held.leave()
  t.equal((await here(['db', 'reset', '--yes'])).code, 0)
  t.match(await status(), { state: 'absent' })
})
