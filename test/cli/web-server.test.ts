import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { surround } from '../../src/cli/run/environment.ts'
import { select } from '../../src/cli/run/select.ts'
import { startWebServer } from '../../src/cli/run/web-server.ts'
import { readProject } from '../../src/core/scenarios/language/index.ts'
import { scratch } from '../fixtures/run-cli.ts'

// The server of a project is there while scenarios run, and nothing of it afterwards.

const folder = scratch()
const environment = { PATH: process.env.PATH ?? '' }
const options = { folder, environment, ci: false, signal: new AbortController().signal }
const freePort = async () => {
  const probe = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => probe.once('listening', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}
const isOpen = (url: string) =>
  fetch(url).then(
    () => true,
    () => false,
  )
const server = (command: string, url: string, more = {}) => ({
  command,
  url,
  timeout_ms: 20_000,
  reuse: undefined,
  cwd: '.',
  ...more,
})
const script = join(folder, 'serve.mjs')
writeFileSync(
  script,
  `import { createServer } from 'node:http'
   console.log('getting ready', process.env.SECRET_OF_THE_TEST)
   setTimeout(() => createServer((q, r) => r.writeHead(q.url === '/down' ? 503 : 200).end('ok')).listen(Number(process.argv[2]), '127.0.0.1'), 300)`,
)

t.test('it is waited for, used, and ended with all that it started', async (t) => {
  const url = `http://127.0.0.1:${await freePort()}/`
  const running = await startWebServer(server(`node serve.mjs ${new URL(url).port} & wait`, url), options)
  t.match(running, { reused: false })
  t.ok(await isOpen(url))
  t.equal(running.output(), 'getting ready undefined', 'it has the environment it was given, and what it said is kept')
  await running.stop()
  await running.stop()
  t.notOk(await isOpen(url))
})

t.test('one that answers already is used and left alone, but not in CI', async (t) => {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/`
  const own = spawn(process.execPath, [script, String(port)], { stdio: 'ignore' })
  t.teardown(() => own.kill('SIGKILL'))
  for (let tries = 0; !(await isOpen(url)) && tries < 200; tries++) await sleep(50)
  const reused = await startWebServer(server('exit 1', url), options)
  t.match(reused, { reused: true })
  await reused.stop()
  t.ok(await isOpen(url))
  const refusal = { code: 'conflict', message: /answers already, and it is not to be reused in CI/ }
  await t.rejects(startWebServer(server('exit 1', url), { ...options, ci: true }), refusal)
  await t.rejects(startWebServer(server('exit 1', url, { reuse: false }), options), { code: 'conflict' })
  await t.resolves(startWebServer(server('exit 1', url, { reuse: true }), { ...options, ci: true }))
  const down = server('exit 4', `${url}down`)
  await t.rejects(startWebServer(down, options), { message: /exit code 4/ }, 'a 503 is not ready')
})

t.test('one that ends, or never answers, is told with what it said', async (t) => {
  const url = `http://127.0.0.1:${await freePort()}/`
  await t.rejects(startWebServer(server('echo no such module >&2; exit 3', url), options), {
    code: 'unavailable',
    message: /did not serve http.*: it ended with exit code 3\. It said:\nno such module/,
  })
  const late = server('sleep 61.5', url, { timeout_ms: 300 })
  await t.rejects(startWebServer(late, options), { message: /did not answer at .* within 0\.3 s\. It said nothing/ })
  const stopping = AbortSignal.timeout(300)
  await t.rejects(startWebServer(server('sleep 61.5', url), { ...options, signal: stopping }), { code: 'cancelled' })
})

t.test('environments choose where it runs, and whether the server is needed', (t) => {
  const project = readProject(
    `---\nvariables: { a: '1', b: '1' }\nweb_server: { command: x, url: 'http://localhost:3000/ready' }\nenvironments: { staging: { base_url: 'https://s.example', variables: { b: '2' } }, other: 'http://localhost:3000' }\n---\n# P\n`,
  )
  const around = (env?: string, baseUrl?: string) => surround(project, { env, baseUrl })
  t.match(around(), { baseUrl: undefined, project: { base_url: 'http://localhost:3000' }, webServer: { command: 'x' } })
  t.match(around('staging'), { baseUrl: 'https://s.example', project: { variables: { a: '1', b: '2' } } })
  t.equal(around('staging').webServer, undefined)
  t.ok(around('other').webServer)
  t.match(around('staging', 'http://localhost:3000/x'), {
    baseUrl: 'http://localhost:3000/x',
    webServer: { command: 'x' },
  })
  t.throws(() => around('moon'), { message: /It has staging, other/ })
  t.throws(() => surround(undefined, { env: 'moon', baseUrl: undefined }), { message: /no such environment/ })
  t.end()
})

t.test('every scenario is in exactly one shard, whatever order it was found in', (t) => {
  const wanted = ['d', 'a', 'c', 'b', 'e'].map((slug) => ({
    slug,
    plan: { scenario: { title: slug } },
    source: undefined,
  }))
  const shards = [1, 2, 3].map((index) =>
    select(wanted as never, undefined, { index, count: 3 }).map(({ slug }) => slug),
  )
  t.same(shards, [['a', 'd'], ['b', 'e'], ['c']])
  t.same(
    select([...wanted].reverse() as never, undefined, { index: 1, count: 3 }).map(({ slug }) => slug),
    ['a', 'd'],
  )
  t.end()
})
