import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createNet } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { githubReport } from '../../src/cli/run/reporters/github.ts'
import { junitReport } from '../../src/cli/run/reporters/junit.ts'
import { readShard } from '../../src/cli/run/select.ts'
import { bare, runCli, scratch } from '../fixtures/run-cli.ts'
import { bareOutside, runHere } from '../fixtures/run-here.ts'
import { world } from '../fixtures/world.ts'

/** `molar run` as a person and as a CI use it, in this process, against a server with a browser of its own. */
const here = await world(t, { workers: 2 })
const project = scratch()
const before = process.cwd()
process.chdir(project)
t.teardown(() => process.chdir(before))
const molar = (args: string[]) => runHere(args, bareOutside(here.environment))

const web = createServer((_request, response) => {
  response.setHeader('content-type', 'text/html').end('<title>Home</title><h1>Welcome</h1>')
})
await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
const base = `http://127.0.0.1:${(web.address() as AddressInfo).port}`
t.teardown(() => {
  web.closeAllConnections()
  web.close()
})

const scenario = (place: number, slug: string, text: string, more = '') => `---
spec_version: '1.0'
id: 019301c0-cafe-7000-bea7-00000000000${place}
slug: ${slug}
description: A test.
viewport: 320x240
variables: { greeting: ${text} }
${more}---
# Shows ${slug}

## Steps
1. Navigate to /
2. Assert text "\${greeting}" is visible {timeout: 500ms}
`
const folder = join(project, '.molar/scenarios')
mkdirSync(folder, { recursive: true })
const write = (file: string, text: string) => writeFileSync(join(folder, `${file}.molar.md`), text)
write('alpha', scenario(1, 'alpha', 'Welcome'))
write('beta', scenario(2, 'beta', 'Welcome'))
write('gamma', scenario(3, 'gamma', 'Goodbye'))
const projectFile = (front: string) => writeFileSync(join(project, '.molar.md'), `---\n${front}\n---\n# Shop\n`)
projectFile(`base_url: ${base}`)

const freePort = async () => {
  const probe = createNet().listen(0, '127.0.0.1')
  await new Promise((resolve) => probe.once('listening', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}
const isOpen = (port: number) =>
  fetch(`http://127.0.0.1:${port}/`).then(
    () => true,
    () => false,
  )

t.test('what makes no sense is told before anything is opened', async (t) => {
  const cases: [string[], string | RegExp][] = [
    [['--shard', '5/3'], 'of 3 shards the part is 1 to 3'],
    [['--shard', '0/3'], 'of 3 shards the part is 1 to 3'],
    [['--shard', 'half'], 'such as 2/3'],
    [['--grep', '('], 'no regular expression'],
    [['--grep', 'nobody'], 'None of 3 scenarios matches --grep nobody'],
    [['--reporter', 'html'], 'it takes line, json, junit, github'],
    [['--output', 'x.xml'], '--output takes the document of a --reporter'],
    [['--reporter', 'junit', '--json'], '--json is --reporter json'],
    [['--base-url', 'localhost'], 'an http or https URL'],
    [['--env', 'moon'], 'environments: { staging'],
    [['--headed', '--url', 'http://127.0.0.1:9'], /--headed/],
  ]
  for (const [args, said] of cases) {
    const ran = await runHere(['run', ...args], bareOutside(bare()))
    t.match(ran, { code: args[0] === '--headed' ? /[27]/ : 2, err: said }, args.join(' '))
  }
  t.same(readShard('3/3'), { index: 3, count: 3 })
})

t.test('reports are written for CI, and lines for people beside them, of what grep and shards chose', async (t) => {
  const path = join(project, 'report.xml')
  const ran = await molar(['run', '--shard', '1/2', '--grep', 'a$', '--reporter', 'junit', '--output', path])
  t.equal(ran.code, 1, ran.err)
  t.match(ran.out, '1 passed, 1 failed')
  const xml = readFileSync(path, 'utf8')
  t.match(xml, /<testsuite name="molar" tests="2" failures="1" errors="0" skipped="0"/)
  t.same(xml.match(/(?<=<testcase name=")\w+/g), ['alpha', 'gamma'], 'each scenario is in exactly one shard')
  t.match(await molar(['run', '--json', '--shard', '4/4']), { code: 0, out: '"runs": []' }, 'an empty shard passes')
  t.match(
    xml,
    /<testcase name="gamma" classname="molar" file="\.molar\/scenarios\/gamma\.molar\.md"[^>]*>\n\s+<failure message="[^"]+" type="assertion">Step 2, line 13/,
  )
  const parsed = execFileSync(process.execPath, ['-e', checkXml, path], { encoding: 'utf8' })
  t.equal(parsed, 'well-formed 2')
  const github = await molar(['run', 'beta', '.molar/scenarios/gamma.molar.md', '--reporter', 'github'])
  t.match(
    github.out,
    /^::error file=\.molar\/scenarios\/gamma\.molar\.md,line=13,title=gamma failed::Assert text[^\n]+%0A/m,
  )
  t.match(github.out, /::notice title=Molar::1 passed, 1 failed\n$/)
})

/** Without an XML parser at hand: tags must nest, and nothing unescaped may stand between them. */
const checkXml = `
  const text = require('node:fs').readFileSync(process.argv[1], 'utf8').replace(/^<\\?xml.*\\?>/, '')
  const open = []
  let cases = 0
  for (const [, close, name, rest] of text.matchAll(/<(\\/?)([a-z-]+)((?:\\s+[a-z]+="[^"<]*")*)>/g)) {
    if (name === 'testcase' && !close) cases++
    if (close) { if (open.pop() !== name) throw new Error('not nested: ' + name) } else open.push(name)
  }
  if (open.length || /<(?!\\/?[a-z-]+(\\s+[a-z]+="[^"<]*")*>)/.test(text)) throw new Error('malformed')
  process.stdout.write('well-formed ' + cases)`

t.test('reports hold whatever a page can say', (t) => {
  const failure = { kind: 'assertion', message: '</failure> & "x"\u0000\u001b[31m\n::error::y', step: null }
  const run = {
    id: 'r',
    slug: 's',
    status: 'failed',
    data_row: 1,
    duration_ms: 5,
    trace_id: 't',
    failure,
    diagnosis: null,
  }
  const results = { runs: [run as never], files: new Map([['s', '/a,b:c.md']]) }
  t.match(junitReport(results), '&lt;/failure&gt; &amp;')
  t.notMatch(junitReport(results), /[\u0000\u001b]/)
  t.equal(githubReport(results).split('\n').length, 3)
  t.match(githubReport(results), /%2C/)
  t.end()
})

t.test('environments give base URL and variables; the command line wins', async (t) => {
  projectFile(
    `base_url: http://127.0.0.1:9\nweb_server: npm start\nenvironments: { here: { base_url: '${base}', variables: { greeting: Welcome } }, away: 'http://127.0.0.1:9' }`,
  )
  const run = (...args: string[]) => molar(['run', 'gamma', ...args])
  t.match(await run('--env', 'here'), { code: 0, out: '1 passed, 0 failed' }, 'its base URL and its variables')
  const over = await run('--env', 'away', '--base-url', base, '--var', 'greeting=Welcome')
  t.match(over, { code: 0, out: '1 passed, 0 failed', err: '"web_server" is a map of command' }, 'a wrong key is told')
  const unknown = await molar(['run', '--env', 'moon'])
  t.match(unknown, { code: 2, err: /no such environment\. It has here, away/ })
})

t.test('web_server is started before and all of it is ended after', async (t) => {
  const port = await freePort()
  const script = join(project, 'serve.mjs')
  writeFileSync(
    script,
    `import { createServer } from 'node:http'
     console.log('getting ready')
     setTimeout(() => createServer((_q, r) => r.setHeader('content-type', 'text/html').end('<h1>Welcome</h1>')).listen(${port}, '127.0.0.1'), 700)
     process.on('SIGTERM', () => {})`,
  )
  projectFile(`web_server: { command: 'node serve.mjs & wait', url: 'http://127.0.0.1:${port}/' }`)
  const ran = await molar(['run', 'alpha'])
  t.match(ran, { code: 0, err: /web_server: node serve\.mjs/ }, ran.err)
  t.notOk(await isOpen(port), 'a grandchild that ignores SIGTERM is gone too')
})

t.test('watch runs again what changes, and survives a file that does not compile', async (t) => {
  projectFile(`base_url: ${base}`)
  let stage = 0
  const ran = await runCli('molar', ['run', '.molar/scenarios', '--grep', 'alpha|beta', '--watch'], {
    env: here.environment,
    cwd: project,
    timeoutMs: 90_000,
    onErr: (said, kill) => {
      const waits = said.split('Waiting for changes').length - 1
      if (waits <= stage) return
      stage = waits
      if (stage === 1) write('alpha', scenario(1, 'alpha', 'Farewell'))
      if (stage === 2) write('alpha', scenario(1, 'alpha', 'Farewell').replace('Assert', 'Asert'))
      if (stage === 3) write('alpha', scenario(1, 'alpha', 'Welcome'))
      if (stage === 4) kill('SIGINT')
    },
  })
  t.equal(stage, 4, ran.err)
  t.equal(ran.code, 0, 'the last round passed')
  t.same(
    ran.out.split('\n').filter((line) => /^\d+ passed/.test(line)),
    ['2 passed, 0 failed on the server', '0 passed, 1 failed on the server', '1 passed, 0 failed on the server'],
    'only what changed ran again',
  )
  t.match(ran.err, 'MOLAR_S001')
})

t.test('--headed says what it lacks', { skip: process.platform !== 'linux' && 'Linux only' }, async (t) => {
  t.match(await runHere(['run', 'alpha', '--headed'], bareOutside(bare())), { code: 7, err: /needs a display/ })
})
