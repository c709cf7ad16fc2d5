import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import {
  emptyHome,
  ended,
  environment,
  eventsOf,
  isWhole,
  pooledDatabase,
  scenario,
  serve,
  start,
  unlimited,
  until,
} from '../fixtures/served.ts'
import { run as molar } from '../fixtures/world.ts'

// Whatever is killed, a run ends once, and what was acknowledged stays. One home for all, as on a laptop: its own
// PostgreSQL (behind a pooler another one, which is everybody's and is not killed), servers without slots, and workers
// that are processes of their own.

/** Workers killed in mid-run, four at a time. */
const kills = Number(process.env.FAULT_KILLS || 2)

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
let server = await serve(t, home, settings)
/** Of the whole file: a subtest's server would end with it. */
const serveAgain = async () => {
  server = await serve(t, home, settings)
}

const bin = fileURLToPath(new URL('../../bin/molar.js', import.meta.url))
const workers = new Set<ChildProcess>()
t.teardown(() => [...workers].map(kill))

/** A worker with one slot, once it takes runs. */
async function startWorker(): Promise<void> {
  const child = spawn(process.execPath, [bin, 'worker', '--slots', '1'], {
    env: environment(home, pooled),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  workers.add(child)
  child.once('exit', () => workers.delete(child))
  await new Promise<void>((resolve) => {
    child.stderr.setEncoding('utf8').on('data', (text) => text.includes('takes runs') && resolve())
  })
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

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

/** Ended once, whole, with every effect of Molar's own there once. */
async function endedOnce(t: Test, id: string, asked = server): Promise<void> {
  const run = await ended(asked, id, 90)
  t.match(run, { status: 'passed', attempt: 2 }, run.failure?.message)
  t.same(
    run.steps.map(({ number }: { number: number }) => number),
    [1, 2, 3, 4],
    'its steps are those of the attempt that ended',
  )
  const events = await eventsOf(asked, run.trace_id)
  t.ok(isWhole(events), `${events.length} events without a gap, one end`)
  t.equal(events.filter(({ kind }) => kind === 'run.start').length, 2)
  const { body: trace } = await asked.rest(`GET /v1/traces/${run.trace_id}`)
  const names = trace.artifacts.map(({ kind, name }: { kind: string; name: string }) => `${kind} ${name}`)
  t.same(names, [...new Set(names)], 'each artifact stands in the manifest once')
}

t.test(`${kills} workers killed with -9 in mid-run: each run goes on as a new attempt and ends once`, async (t) => {
  const took: number[] = []
  const other = await serve(t, home, settings) // a run is as whole at a server that did not take it
  for (let left = kills; left > 0; left -= 4) {
    const count = Math.min(4, left)
    await Promise.all(Array.from({ length: count - workers.size }, startWorker))
    const runs = await Promise.all(Array.from({ length: count }, () => startRun()))
    await Promise.all(runs.map(({ id }) => inMidRun(id)))
    const doomed = [...workers]
    await Promise.all(doomed.map(startWorker)) // those that will take over; the line is empty, so they wait
    await Promise.all(doomed.map(kill))
    const killed = Date.now()
    await Promise.all(
      runs.map(async ({ id, open }) => {
        await until(async () => (await server.rest(`GET /v1/runs/${id}`)).body.attempt === 2, 60, `a new attempt`)
        took.push(Date.now() - killed)
        await inMidRun(id)
        open()
      }),
    )
    for (const { id, effects } of runs) {
      await endedOnce(t, id, other)
      t.equal(effects('before'), 2, 'each attempt acts from step 1')
      t.equal(effects('after'), 1, 'the dead attempt acts no more')
    }
  }
  const worst = Math.max(...took)
  t.comment(`${kills} kills: a new attempt after ${Math.min(...took)} to ${worst} ms`)
  t.ok(worst < 30_000, `within 30 s: ${worst} ms`)
})

/** Writes without a pause until told to stop, each until it is acknowledged, as a client with Idempotency-Keys does. */
function load() {
  const acknowledged: string[] = []
  const unsure: { key: string; id: string; content: string }[] = []
  const errors: string[] = []
  const unlike: string[] = []
  let lasting = true
  const send = async ({ key, content }: { key: string; content: string }): Promise<boolean> => {
    try {
      const headers = { 'idempotency-key': key }
      const answer = await server.rest('POST /v1/scenarios', { content }, headers)
      const wellSaid =
        [409, 503].includes(answer.status) && (answer.status === 409 || answer.headers.has('retry-after'))
      if (answer.status !== 200 && !wellSaid) unlike.push(`${answer.status} ${JSON.stringify(answer.body)}`)
      return answer.status === 200
    } catch (error) {
      const { cause } = error as { cause?: { code?: string; message?: string } }
      errors.push(cause?.code ?? cause?.message ?? String(error))
      return false
    }
  }
  const write = async () => {
    while (lasting) {
      const one = scenario(url, ['Navigate to /'])
      const keyed = { key: one.id, ...one }
      let done = await send(keyed)
      for (; !done && lasting; done = await send(keyed)) await sleep(100)
      if (done) acknowledged.push(one.id)
      else unsure.push(keyed)
    }
  }
  const loops = Promise.all(Array.from({ length: 4 }, write))
  return {
    acknowledged,
    unsure,
    errors,
    unlike,
    async end() {
      lasting = false
      await loops
    },
  }
}

/** Sends again what was not answered, then asks for everything. */
async function nothingLost(t: Test, { acknowledged, unsure, unlike }: ReturnType<typeof load>): Promise<void> {
  t.same(unlike, [], 'no answer but 200, 503 with Retry-After, and 409 while the first try may be under way')
  for (const { key, id, content } of unsure) {
    const send = () => server.rest('POST /v1/scenarios', { content }, { 'idempotency-key': key })
    await until(async () => (await send()).status === 200, 70, `the repetition of ${key}`)
    acknowledged.push(id)
  }
  const missing: string[] = []
  for (let place = 0; place < acknowledged.length; place += 10)
    await Promise.all(
      acknowledged.slice(place, place + 10).map(async (id) => {
        if ((await server.rest(`GET /v1/scenarios/${id}`)).body.version !== 1) missing.push(id)
      }),
    )
  t.same(missing, [], `${acknowledged.length} acknowledged writes are there`)
}

/** What is to be over within `most` milliseconds; on a busy machine within so many `starts` of a server that was stopped well. */
const limits: { what: string; took: number; most: number; starts: number }[] = []

const ready = () => until(async () => (await fetch(`${server.url}/readyz`)).status === 200, 30, 'the server is ready')

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
  limits.push({ what: 'ready after the server was killed', took, most: 5000, starts: 2 })
  await nothingLost(t, writing)
})

t.test('worker, server and PostgreSQL killed together: all comes back, nothing acknowledged is lost', async (t) => {
  if (workers.size === 0) await startWorker()
  const { id, effects, open } = await startRun()
  const writing = load()
  await inMidRun(id)
  if (!pooled) {
    const { stdout } = await molar(['db', 'status', '--json'], environment(home))
    process.kill(JSON.parse(stdout).pid, 'SIGKILL')
  }
  server.child.kill('SIGKILL')
  await Promise.all([server.ended, ...[...workers].map(kill)])
  const killed = Date.now()
  await serveAgain()
  await ready()
  const took = Date.now() - killed
  await startWorker()
  await until(async () => (await server.rest(`GET /v1/runs/${id}`)).body.attempt === 2, 60, 'a new attempt')
  const again = Date.now() - killed
  await inMidRun(id)
  open()
  await writing.end()
  t.comment(`ready after ${took} ms, the run again after ${again} ms; ${writing.acknowledged.length} acknowledged`)
  limits.push({ what: 'ready after all were killed', took, most: 10_000, starts: 3 })
  limits.push({ what: 'the run again after all were killed', took: again, most: 30_000, starts: 6 })
  await nothingLost(t, writing)
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
  await writing.end()
  t.comment(`stopped after ${took} ms; ${writing.acknowledged.length} acknowledged`)
  t.ok(took < 10_000, `${took} ms`)
  t.same([...new Set(writing.errors)], ['ECONNREFUSED'], 'nothing but new connections is refused')
  const began = Date.now()
  await serveAgain()
  await ready()
  const normal = Date.now() - began
  t.comment(`a server that was stopped well is ready after ${normal} ms`)
  for (const { what, took, most, starts } of limits) t.ok(took < Math.max(most, starts * normal), `${what}: ${took} ms`)
  await nothingLost(t, writing)
})
