import { type ChildProcess, spawn } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'
import { readFile, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import t, { type Test } from 'tap'
import { attachEmbedded, silentLog } from '../../src/db/index.ts'
import { entries, runCli } from '../fixtures/run-cli.ts'
import {
  emptyHome,
  ended,
  environment,
  eventsOf,
  isWhole,
  pooledDatabase,
  readWithCuts,
  type Served,
  scenario,
  serve,
  start,
  unlimited,
  until,
} from '../fixtures/served.ts'

// Whatever is killed, a run ends once, and what was acknowledged stays. One home for all, as on a laptop: its own
// PostgreSQL (behind a pooler another one, which is everybody's and is not killed), servers without slots, and workers
// that are processes of their own.

/** Workers killed in mid-run, two at a time, each with two runs. */
const kills = Number(process.env.FAULT_KILLS || 1)

/** What runs did to the application, and its gates: a page says "Go" once its own is opened. */
const acts: string[] = []
const opened = new EventEmitter().setMaxListeners(0)
const page = `<h1>Gate</h1><p id=p></p><script>fetch('/opened' + location.search).then(() => { p.textContent = 'Go' })</script>`
const app = createServer((request, response) => {
  const { pathname, search } = new URL(request.url!, 'http://app')
  if (pathname === '/gate') response.setHeader('content-type', 'text/html').end(page)
  else if (pathname === '/opened') opened.once(search.slice(1), () => response.end())
  else {
    acts.push(request.url!)
    response.writeHead(204).end()
  }
})
await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
const url = `http://127.0.0.1:${(app.address() as AddressInfo).port}`
t.teardown(() => {
  app.closeAllConnections()
  app.close()
})
const home = await emptyHome(t)
const pooled = await pooledDatabase(t)

const settings = { MOLAR_WORKERS: '0', ...unlimited, ...pooled }
let server: Served
/** Of the whole file: a subtest's server would end with it. */
const serveAgain = async () => {
  server = await serve(t, home, settings)
}

t.test('two first starts at once on an empty home: one database, one org, one key', async (t) => {
  const env = environment(home, pooled)
  const [first] = await Promise.all([runCli('molar', ['identity', 'me', '--json'], { env }), serveAgain()])
  t.equal(first.code, 0, first.err)
  t.equal((await server.rest('GET /v1/me')).body.org.id, JSON.parse(first.out).org.id, 'one org')
  t.equal((await stat(join(home, 'key'))).mode & 0o777, 0o600)
  t.equal((await server.rest('GET /v1/api-keys')).body.items.length, 1, 'one key')
})

/** Works with the home's own database for a moment, as its owner. */
async function withOwner<Result>(work: (owner: { url: string; dataDirectory: string }) => Promise<Result>) {
  const embedded = await attachEmbedded({ home, applicationName: 'test:kills', log: silentLog })
  try {
    return await work({ url: pooled?.MOLAR_MIGRATION_URL ?? embedded.ownerUrl, dataDirectory: embedded.dataDirectory })
  } finally {
    await embedded.leave()
  }
}

async function killPostgres(): Promise<void> {
  const text = await withOwner(({ dataDirectory }) => readFile(join(dataDirectory, 'postmaster.pid'), 'utf8'))
  process.kill(Number(text.split('\n')[0]), 'SIGKILL')
}

/** A minute later: the Idempotency-Keys of calls that died are free again. */
const claimsRunOut = () =>
  withOwner(async ({ url }) => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(`update idempotency_keys set claimed_until = claimed_until - interval '1 minute'`)
    await client.end()
  })

const workers = new Set<ChildProcess>()
t.teardown(() => [...workers].map(kill))

/** A worker with two slots, once it takes runs. */
async function startWorker(): Promise<void> {
  const child = spawn(process.execPath, [entries.molar, 'worker', '--slots', '2'], {
    env: environment(home, pooled),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  workers.add(child)
  child.once('exit', () => workers.delete(child))
  await new Promise<void>((resolve) => {
    child.stderr.setEncoding('utf8').on('data', (text) => text.includes('takes runs') && resolve())
  })
}

/** Its exit code; null where the signal ended it. */
const end = (signal: NodeJS.Signals) => (child: ChildProcess) => {
  const gone = new Promise<number | null>((resolve) => child.once('exit', resolve))
  child.kill(signal)
  return gone
}
const kill = end('SIGKILL')
const stop = end('SIGTERM')

/** A run that acts, waits for its gate, and acts again. */
async function startRun() {
  const mark = Math.random().toString(36).slice(2)
  const act = (which: string) => `Request POST /act?${which}=${mark} expects 204 {timeout: 60s}`
  const gate = 'Assert text "Go" is visible {timeout: 110s}'
  const id = await start(server, url, [`Navigate to /gate?${mark} {timeout: 60s}`, act('before'), gate, act('after')])
  const effects = (which: string) => acts.filter((one) => one === `/act?${which}=${mark}`).length
  return { id, effects, open: () => opened.emit(mark) }
}

const inMidRun = (id: string) =>
  until(async () => (await server.rest(`GET /v1/runs/${id}`)).body.steps_done >= 2, 60, `run ${id} is in its midst`)
const attemptTwo = (id: string) =>
  until(async () => (await server.rest(`GET /v1/runs/${id}`)).body.attempt === 2, 60, `a new attempt of ${id}`)

/** Ended once, whole, with every effect of Molar's own there once. */
async function endedOnce(t: Test, id: string): Promise<void> {
  const run = await ended(server, id, 90)
  t.match(run, { status: 'passed', attempt: 2 }, run.failure?.message)
  t.same(
    run.steps.map(({ number }: { number: number }) => number),
    [1, 2, 3, 4],
    'its steps are those of the attempt that ended',
  )
  const events = await eventsOf(server, run.trace_id)
  t.ok(isWhole(events), `${events.length} events without a gap, one end`)
  t.equal(events.filter(({ kind }) => kind === 'run.start').length, 2)
  const { body: trace } = await server.rest(`GET /v1/traces/${run.trace_id}`)
  const names = trace.artifacts.map(({ kind, name }: { kind: string; name: string }) => `${kind} ${name}`)
  t.same(names, [...new Set(names)], 'each artifact stands in the manifest once')
}

/** Connections that a request was sent over, and how many were. Who finds one reset before its first answer was never taken. */
const sent = new WeakMap<object, number>()
const firstOfItsConnection = new Set<string>()
subscribe('undici:client:sendHeaders', (message) => {
  const { socket, headers } = message as { socket: object; headers: string }
  const count = (sent.get(socket) ?? 0) + 1
  sent.set(socket, count)
  const [, key] = /^idempotency-key: *(\S+)/im.exec(headers) ?? []
  if (key !== undefined && count === 1) firstOfItsConnection.add(key)
})

/** Writes all the time until told to stop: four callers, each with a new Idempotency-Key every time. */
function load() {
  const acknowledged: string[] = []
  const unsure: { key: string; id: string; content: string }[] = []
  const errors: string[] = []
  const unlike: string[] = []
  /** Reset over a connection that had been made for them, and over one that had served others. */
  const [untaken, dropped]: [string[], string[]] = [[], []]
  const state = { lasting: true, since: 0 } // since when all is well again
  const write = async () => {
    for (; state.lasting; await sleep(100)) {
      const one = scenario(url, ['Navigate to /'])
      try {
        const headers = { 'idempotency-key': one.id }
        const answer = await server.rest('POST /v1/scenarios', { content: one.content }, headers)
        if (answer.status === 200) {
          acknowledged.push(one.id)
          state.since ||= Date.now()
          continue
        }
        if (answer.status !== 503 || !answer.headers.has('retry-after'))
          unlike.push(`${answer.status} ${JSON.stringify(answer.body)}`)
      } catch (error) {
        const { cause } = error as { cause?: { code?: string; message?: string } }
        const code = cause?.code ?? cause?.message ?? String(error)
        errors.push(code)
        if (code === 'ECONNRESET') (firstOfItsConnection.has(one.id) ? untaken : dropped).push(one.id)
      }
      unsure.push({ key: one.id, ...one })
      state.since = 0
      await sleep(250)
    }
  }
  const loops = Promise.all(Array.from({ length: 4 }, write))
  return {
    acknowledged,
    unsure,
    errors,
    untaken,
    dropped,
    unlike,
    state,
    async end() {
      state.lasting = false
      await loops
    },
  }
}

/** Sends again what was not answered, then asks for everything. */
async function nothingLost(t: Test, { acknowledged, unsure, unlike }: ReturnType<typeof load>): Promise<void> {
  t.same(unlike, [], 'no answer but 200, and 503 with Retry-After')
  const repeat = ({ key, id, content }: (typeof unsure)[number]) => {
    const send = () => server.rest('POST /v1/scenarios', { content }, { 'idempotency-key': key })
    acknowledged.push(id)
    return until(async () => (await send()).status === 200, 20, `the repetition of ${key}`)
  }
  for (let place = 0; place < unsure.length; place += 10) await Promise.all(unsure.slice(place, place + 10).map(repeat))
  const there = new Set<string>()
  for (let next = ''; ; ) {
    const { body } = await server.rest(`GET /v1/scenarios?limit=200&fields=id,version${next}`)
    for (const { id, version } of body.items) if (version === 1) there.add(id)
    if (!body.next_cursor) break
    next = `&cursor=${body.next_cursor}`
  }
  t.same(
    acknowledged.filter((id) => !there.has(id)),
    [],
    `${acknowledged.length} acknowledged writes are there, once`,
  )
}

/** What is to be over within `most` milliseconds; on a busy machine within so many `starts` of a server that was stopped well: what was killed starts while its clients go on asking. */
const limits: { what: string; took: number; most: number; starts: number }[] = []

const ready = () => until(async () => (await fetch(`${server.url}/readyz`)).status === 200, 30, 'the server is ready')

t.test(
  'PostgreSQL killed with -9 under load: 503 with Retry-After, then well again, nothing acknowledged lost',
  { skip: pooled ? 'it is not the home’s own' : false },
  async (t) => {
    await startWorker()
    const waits = Array.from({ length: 3 }, () => 'Wait 1500ms')
    const id = await start(server, url, ['Navigate to /gate', ...waits, 'Assert heading "Gate" is visible'])
    const following = readWithCuts(server, id, 200)
    await until(async () => (await server.rest(`GET /v1/runs/${id}`)).body.steps_done > 1, 30, 'the run is under way')
    const writing = load()
    await until(async () => writing.acknowledged.length > 20, 20, 'writes')
    await killPostgres()
    const killed = Date.now()
    await until(async () => writing.unsure.length > 0, 10, 'a write that fails')
    await until(async () => writing.state.since > 0 && Date.now() > writing.state.since + 1000, 20, 'all is well again')
    await writing.end()
    const took = writing.state.since - killed
    t.ok(took < 10_000, `well again after ${took} ms; ${writing.unsure.length} answers of 503`)
    t.same(writing.errors, [], 'every call is answered')
    const repeated = Date.now()
    await nothingLost(t, writing)
    t.ok(Date.now() - repeated < 15_000, `sent again with their Idempotency-Keys: ${Date.now() - repeated} ms`)
    const run = await ended(server, id)
    const events = await eventsOf(server, run.trace_id)
    t.match(run, { status: 'passed', attempt: 1 }, `the run went on: ${run.failure?.message}`)
    t.ok(isWhole(events), `${events.length} events`)
    const seqs = events.map(({ seq }) => seq)
    t.same((await following).seqs, seqs, 'a reader of the run missed nothing')
  },
)

const runs: Awaited<ReturnType<typeof startRun>>[] = []

t.test(`${kills} workers killed with -9 in mid-run: each run goes on as a new attempt and ends once`, async (t) => {
  const took: number[] = []
  for (let left = kills; left > 0; left -= 2) {
    const count = Math.min(2, left)
    await Promise.all(Array.from({ length: count - workers.size }, startWorker))
    const some = await Promise.all(Array.from({ length: count * 2 }, startRun))
    await Promise.all(some.map(({ id }) => inMidRun(id)))
    const doomed = [...workers]
    await Promise.all(doomed.map(startWorker)) // those that will take over; the line is empty, so they wait
    await Promise.all(doomed.map(kill))
    const killed = Date.now()
    await Promise.all(
      some.map(async ({ id, open }) => {
        await attemptTwo(id)
        took.push(Date.now() - killed)
        await inMidRun(id)
        open()
        await ended(server, id)
      }),
    )
    runs.push(...some)
  }
  const worst = Math.max(...took)
  t.comment(`${kills} kills: a new attempt after ${Math.min(...took)} to ${worst} ms`)
  t.ok(worst < 30_000, `within 30 s: ${worst} ms`)
})

t.test('a server killed with -9 under load loses no acknowledged write and is ready again within 5 s', async (t) => {
  const writing = load()
  await until(async () => writing.acknowledged.length > 20, 20, 'writes')
  server.child.kill('SIGKILL')
  await server.ended
  const killed = Date.now()
  await serveAgain()
  await ready()
  const took = Date.now() - killed
  await sleep(200)
  await writing.end()
  t.comment(
    `ready after ${took} ms; ${writing.acknowledged.length} acknowledged, ${writing.errors.length} tries failed`,
  )
  limits.push({ what: 'ready after the server was killed', took, most: 5000, starts: 5 })
  await claimsRunOut()
  await nothingLost(t, writing)
  // They are as whole at a server that did not take them.
  for (const { id, effects } of runs) {
    await endedOnce(t, id)
    t.equal(effects('before'), 2, 'each attempt acts from step 1')
    t.equal(effects('after'), 1, 'the dead attempt acts no more')
  }
})

t.test('worker, server and PostgreSQL killed together: all comes back, nothing acknowledged is lost', async (t) => {
  const { id, effects, open } = await startRun()
  await inMidRun(id)
  const writing = load()
  await until(async () => writing.acknowledged.length > 20, 20, 'writes')
  if (!pooled) await killPostgres()
  server.child.kill('SIGKILL')
  await Promise.all([server.ended, ...[...workers].map(kill)])
  const killed = Date.now()
  await serveAgain()
  await ready()
  const took = Date.now() - killed
  await startWorker()
  await sleep(200)
  await writing.end()
  await claimsRunOut()
  await nothingLost(t, writing)
  await attemptTwo(id)
  const again = Date.now() - killed
  await inMidRun(id)
  open()
  t.comment(`ready after ${took} ms, the run again after ${again} ms; ${writing.acknowledged.length} acknowledged`)
  limits.push({ what: 'ready after all were killed', took, most: 10_000, starts: 3 })
  limits.push({ what: 'the run again after all were killed', took: again, most: 30_000, starts: 6 })
  await endedOnce(t, id)
  t.equal(effects('after'), 1)
})

t.test('SIGTERM under load drops no request and is done within 10 s', async (t) => {
  const writing = load()
  await until(async () => writing.acknowledged.length > 20, 20, 'writes')
  server.child.kill('SIGTERM')
  const told = Date.now()
  t.equal((await server.ended).code, 0)
  const took = Date.now() - told
  await sleep(100)
  await writing.end()
  t.comment(`stopped after ${took} ms; ${writing.acknowledged.length} acknowledged`)
  t.ok(took < 10_000, `${took} ms`)
  // The system resets connections that it made and nobody has taken yet when the server stops listening.
  const codes = new Set(writing.errors)
  codes.delete('ECONNRESET')
  t.same([...codes], ['ECONNREFUSED'], 'nothing but new connections is refused')
  t.same(writing.dropped, [], 'nothing is dropped on a connection that is kept')
  const began = Date.now()
  await serveAgain()
  await ready()
  const normal = Date.now() - began
  t.comment(`a server that was stopped well is ready after ${normal} ms`)
  for (const id of writing.untaken)
    t.equal((await server.rest(`GET /v1/scenarios/${id}`)).status, 404, 'what was reset had not been read')
  t.same(await Promise.all([...workers].map(stop)), [0], 'a worker that is told to stop ends well')
  for (const { what, took, most, starts } of limits) t.ok(took < Math.max(most, starts * normal), `${what}: ${took} ms`)
  await nothingLost(t, writing)
})
