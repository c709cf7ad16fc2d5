import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { bare, collect, runCli, scratch } from '../fixtures/run-cli.ts'
import { bareOutside, runHere } from '../fixtures/run-here.ts'
import { world } from '../fixtures/world.ts'

/**
 * The whole of Molar as its users start it: bin/molar.js, a home of its own, the embedded database, a real browser. What
 * is no matter of processes or homes asks a server from this process, since each start of a browser costs seconds.
 */
const home = scratch()
const project = scratch()
process.chdir(project)
const env = { MOLAR_HOME: home, MOLAR_WORKERS: '1' }
const molar = (args: string[], options = {}) =>
  runCli('molar', args, { env, cwd: project, timeoutMs: 90_000, ...options })

/** A server with a browser, and the CLI in this process that asks it. */
const there = await world(t, { workers: 2 })
const asked = (args: string[]) => runHere(args, bareOutside(there.environment))

const web = createServer((request, response) => {
  if (request.url === '/slow') return
  response.setHeader('content-type', 'text/html').end('<title>Home</title><h1>Welcome</h1><button>Pay</button>')
})
await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
const base = `http://127.0.0.1:${(web.address() as AddressInfo).port}`

t.teardown(async () => {
  await molar(['db', 'stop'])
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

t.test('run reads the project, tells progress and verdicts, and exits with 1 when one is not passed', async (t) => {
  const all = await molar(['run', '--ci'])
  t.equal(all.code, 1, all.err)
  t.match(all.out, /✗ bad +failed[^\n]*\n✓ good +passed/)
  t.match(all.out, 'step     2 of 2, line 13: Assert text')
  t.match(all.out, /trace +[0-9a-f-]{36}: molar traces report/)
  t.match(all.out, '1 passed, 1 failed')
  t.match(all.err, 'good: ✓ 1/2 Navigate to /')
  t.notMatch(all.out + all.err, '\u001b')
  const traceId = /trace +([0-9a-f-]{36})/.exec(all.out)?.[1] ?? ''
  const report = await molar(['traces', 'report', traceId])
  t.equal(report.code, 0, report.err)
  t.match(report.out, 'Goodbye')

  const tagged = await asked(['run', '--tag', 'good', '--json'])
  t.equal(tagged.code, 0, tagged.err)
  t.match(JSON.parse(tagged.out), {
    verdict: 'passed',
    passed: 1,
    failed: 0,
    runs: [{ slug: 'good', status: 'passed' }],
  })

  const mended = await asked(['run', 'bad', '--var', 'greeting=Welcome', '--json'])
  t.equal(mended.code, 0, mended.err)
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
    const ran = await runHere(args, bareOutside(bare(env)))
    t.equal(ran.code, 2, `${args.join(' ')}: ${ran.err}`)
    t.match(ran.err, said)
  }
  writeFileSync(join(project, 'broken.molar.md'), scenario(3, 'broken', '1. Clik "Pay"'))
  const broken = await asked(['run', 'broken.molar.md'])
  t.equal(broken.code, 2)
  t.match(broken.err, /broken\.molar\.md:11:\d+-11:\d+ MOLAR_S001/)
})

t.test('a run that nobody waits for any more is cancelled', async (t) => {
  writeFileSync(join(project, 'slow.molar.md'), scenario(4, 'slow', '1. Navigate to /\n2. Wait 60s {timeout: 90s}'))
  const stopped = await molar(['run', 'slow.molar.md'], {
    onErr: (said: string, kill: (signal: string) => void) => said.includes('1/2') && kill('SIGINT'),
  })
  t.equal(stopped.code, 130, stopped.err)
  const late = await asked(['run', 'slow.molar.md', '--timeout', '2s'])
  t.equal(late.code, 130, late.err)
  for (const ask of [molar, asked]) {
    const runs = JSON.parse((await ask(['runs', 'list', '--scenario', 'slow', '--json'])).out)
    t.same(
      runs.items.map((run: { status: string }) => run.status),
      ['aborted'],
    )
  }
})

t.test('answers that are files are written, below the folder alone, and never over another file', async (t) => {
  const made = await molar(['scenarios', 'new', 'fresh'])
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

t.test('doctor says what is there and what mends the rest; 7 when something needed is missing', async (t) => {
  const well = await molar(['doctor', '--json'])
  const answer = JSON.parse(well.out)
  t.equal(well.code, 0, well.out)
  t.same(
    answer.checks.map((check: { name: string }) => check.name),
    ['node', 'home', 'disk', 'database', 'browser', 'sandbox', 'port', 'server'],
  )
  t.ok(answer.healthy)
  const ill = await molar(['doctor'], { env: { ...env, MOLAR_CHROMIUM_PATH: '/nonexistent' } })
  t.equal(ill.code, 7)
  t.match(ill.out, '✗ browser')
  const away = await molar(['doctor', '--json'], {
    env: { ...env, MOLAR_URL: 'http://127.0.0.1:9', MOLAR_CHROMIUM_PATH: '/nonexistent' },
  })
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

t.test('serve answers over HTTP until it is told to stop, and the CLI works against it', async (t) => {
  let remote: Promise<{ code: number | null; out: string; err: string }> | undefined
  const served = await molar(['serve', '--port', '0'], {
    onErr: (said: string, kill: (signal: string) => void) => {
      const url = /Molar is at (http:\S+)/.exec(said)?.[1]
      if (url === undefined || remote) return
      const key = readFileSync(join(home, 'key'), 'utf8').trim()
      remote = molar(['run', '.molar/scenarios/good.molar.md', '--url', url, '--json'], {
        env: { ...env, MOLAR_API_KEY: key },
      }).finally(() => kill('SIGTERM'))
    },
  })
  t.equal(served.code, 0, served.err)
  t.equal(served.out, '', 'stdout stays empty')
  const ran = await remote
  t.equal(ran?.code, 0, ran?.err ?? 'it ran')
  t.match(JSON.parse(ran?.out ?? '{}'), { verdict: 'passed' })
  t.equal(statSync(join(home, 'key')).mode & 0o777, 0o600)
})

t.test('db tells what runs, stops it and deletes it', async (t) => {
  await molar(['identity', 'me'])
  t.match(JSON.parse((await molar(['db', 'status', '--json'])).out), { home, state: /running|stopped/ })
  await molar(['db', 'stop'])
  t.match(JSON.parse((await molar(['db', 'status', '--json'])).out), { state: 'stopped' })
  t.equal((await molar(['db', 'reset', '--yes'])).code, 0)
  t.match(JSON.parse((await molar(['db', 'status', '--json'])).out), { state: 'absent' })
})

t.test('an older Node hands over to the one that npm brought, with arguments, exit code and signals', async (t) => {
  const found = await collect('bash', ['-c', 'type -ap node'])
  const bin = new URL('../../bin/molar.js', import.meta.url).pathname
  let old: string | undefined
  for (const path of new Set(found.out.trim().split('\n'))) {
    const { out } = await collect(path, ['--version'])
    if (Number(out.slice(1).split('.')[0]) < 24) old = path
  }
  if (old === undefined) {
    t.comment('this machine has no older Node')
    return
  }
  t.match((await collect(old, [bin, '--version'])).out, /^\d+\.\d+\.\d+\n$/)
  const refused = await collect(old, [bin, 'ntoes'], { env })
  t.equal(refused.code, 2)
  t.match(refused.err, 'ntoes')
  const stopped = await collect(old, [bin, 'worker'], {
    env,
    timeoutMs: 60_000,
    onErr: (said, kill) => said.includes('takes runs') && kill('SIGTERM'),
  })
  t.equal(stopped.code, 0, 'a worker that is told to stop ends well')
})
