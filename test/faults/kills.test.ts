import { type ChildProcess, spawn } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'
import { readFile, stat, writeFile } from 'node:fs/promises'
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

// Whatever is killed or stopped, and wherever the clock is set to, a run ends once, and what was acknowledged stays. One
// home for all, as on a laptop: its own PostgreSQL (behind a pooler another one, which is everybody's and is not killed);
// first a server without slots and workers that are processes of their own, then servers that run what they queue. Each
// server is started for the death that the test before gave the last one: a start costs seconds of a processor.

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

let server: Served
/** Of the whole file: a subtest's server would end with it. */
const serveAgain = async (slots: number, more: Record<string, string> = {}) => {
  server = await serve(t, home, { MOLAR_WORKERS: String(slots), ...unlimited, ...pooled, ...more })
}

t.test('two first starts at once on an empty home: one database, one org, one key', async (t) => {
  const env = environment(home, pooled)
  const [first] = await Promise.all([runCli('molar', ['identity', 'me', '--json'], { env }), serveAgain(0)])
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

/** Asks the database itself, as its owner. */
const withClient = (work: (client: pg.Client) => Promise<unknown>) =>
  withOwner(async ({ url }) => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      await work(client)
    } finally {
      await client.end()
    }
  })

/** A minute later: the Idempotency-Keys of calls that died are free again. */
const claimsRunOut = () =>
  withClient((client) =>
    client.query(`update idempotency_keys set claimed_until = claimed_until - interval '1 minute'`),
  )

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

type Acting = Awaited<ReturnType<typeof startRun>>

const inMidRun = (id: string) =>
  until(async () => (await server.rest(`GET /v1/runs/${id}`)).body.steps_done >= 2, 60, `run ${id} is in its midst`)
const attemptTwo = (id: string) =>
  until(async () => (await server.rest(`GET /v1/runs/${id}`)).body.attempt === 2, 60, `a new attempt of ${id}`)

/** Ended once, whole, with every effect of Molar's own there once. */
async function endedOnce(t: Test, { id, effects }: Acting, attempts = 2): Promise<void> {
  const run = await ended(server, id, 90)
  t.match(run, { status: 'passed', attempt: attempts }, run.failure?.message)
  t.same(
    run.steps.map(({ number }: { number: number }) => number),
    [1, 2, 3, 4],
    'its steps are those of the attempt that ended',
  )
  const events = await eventsOf(server, run.trace_id)
  t.ok(isWhole(events), `${events.length} events without a gap, one end`)
  t.equal(events.filter(({ kind }) => kind === 'run.start').length, attempts)
  const { body: trace } = await server.rest(`GET /v1/traces/${run.trace_id}`)
  const names = trace.artifacts.map(({ kind, name }: { kind: string; name: string }) => `${kind} ${name}`)
  t.same(names, [...new Set(names)], 'each artifact stands in the manifest once')
  t.equal(effects('before'), attempts, 'each attempt acts from step 1')
  t.equal(effects('after'), 1, 'a dead attempt acts no more')
}

/** Connections that a request was sent over, and how many were. Who finds one reset before its first answer was never taken. */
const sent = new WeakMap<object, number>()
const firstOfItsConnection = new Set<string>()
const noteConnection = (message: unknown) => {
  const { socket, headers } = message as { socket: object; headers: string }
  const count = (sent.get(socket) ?? 0) + 1
  sent.set(socket, count)
  const [, key] = /^idempotency-key: *(\S+)/im.exec(headers) ?? []
  if (key !== undefined && count === 1) firstOfItsConnection.add(key)
}
subscribe('undici:client:sendHeaders', noteConnection)
t.teardown(() => unsubscribe('undici:client:sendHeaders', noteConnection))

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
    for (; state.lasting; await sleep(200)) {
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
    await until(async () => writing.acknowledged.length > 12, 20, 'writes')
    await killPostgres()
    const killed = Date.now()
    await until(async () => writing.unsure.length > 0, 10, 'a write that fails')
    await until(async () => writing.state.since > 0 && Date.now() > writing.state.since + 500, 20, 'all is well again')
    await writing.end()
    const took = writing.state.since - killed
    t.ok(took < 10_000, `well again after ${took} ms; ${writing.unsure.length} answers of 503`)
    t.same(writing.errors, [], 'every call is answered')
    const repeated = Date.now()
    await nothingLost(t, writing)
    t.ok(Date.now() - repeated < 15_000, `sent again with their Idempotency-Keys: ${Date.now() - repeated} ms`)
    const run = await ended(server, id)
    const events = await eventsOf(server, run.trace_id)
    // Its worker tells every 5 s that it lives, and is believed for 10.
    const attempt = took < 5000 ? 1 : run.attempt
    t.match(run, { status: 'passed', attempt }, `the run went on: ${run.failure?.message}`)
    t.ok(isWhole(events), `${events.length} events`)
    const seqs = events.map(({ seq }) => seq)
    t.same((await following).seqs, seqs, 'a reader of the run missed nothing')
  },
)

const runs: Acting[] = []

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

/** Kills the server while there is load, which goes on until another is ready: when that was, and how many milliseconds it took. */
async function replaceKilled(writing: ReturnType<typeof load>): Promise<{ killed: number; took: number }> {
  server.child.kill('SIGKILL')
  await server.ended
  const killed = Date.now()
  await serveAgain(2)
  await ready()
  const took = Date.now() - killed
  await sleep(200)
  await writing.end()
  return { killed, took }
}

t.test('a server killed with -9 under load loses no acknowledged write and is ready again within 5 s', async (t) => {
  const ends = await Promise.all([...workers].map(stop))
  t.ok(ends.length > 0 && ends.every((code) => code === 0), `a worker that is told to stop ends well: ${ends}`)
  const writing = load()
  await until(async () => writing.acknowledged.length > 12, 20, 'writes')
  const { took } = await replaceKilled(writing)
  t.comment(
    `ready after ${took} ms; ${writing.acknowledged.length} acknowledged, ${writing.errors.length} tries failed`,
  )
  limits.push({ what: 'ready after the server was killed', took, most: 5000, starts: 5 })
  await claimsRunOut()
  await nothingLost(t, writing)
  // They are as whole at a server that did not take them.
  for (const run of runs) await endedOnce(t, run)
})

t.test(
  'server, its worker and PostgreSQL killed together while runs wait and run: all comes back, each ends once, nothing acknowledged is lost',
  async (t) => {
    const three = await Promise.all(Array.from({ length: 3 }, startRun))
    const runsNow = () => Promise.all(three.map(async ({ id }) => (await server.rest(`GET /v1/runs/${id}`)).body))
    await until(async () => (await runsNow()).filter((run) => run.steps_done >= 2).length === 2, 30, 'two under way')
    const underWay = (await runsNow()).map(({ status }) => status === 'running')
    t.same([...underWay].sort(), [false, true, true], 'one waits')
    const writing = load()
    await until(async () => writing.acknowledged.length > 12, 20, 'writes')
    if (!pooled) await killPostgres()
    const { killed, took } = await replaceKilled(writing)
    await claimsRunOut()
    await nothingLost(t, writing)
    const goOn = async ({ id, open }: Acting, at: number) => {
      if (underWay[at]) await attemptTwo(id)
      const again = Date.now() - killed
      await inMidRun(id)
      open()
      return again
    }
    const again = Math.max(...(await Promise.all(three.map(goOn))))
    t.comment(`ready after ${took} ms, the runs again after ${again} ms; ${writing.acknowledged.length} acknowledged`)
    limits.push({ what: 'ready after all were killed', took, most: 10_000, starts: 5 })
    limits.push({ what: 'the runs again after all were killed', took: again, most: 30_000, starts: 6 })
    for (const [at, run] of three.entries()) await endedOnce(t, run, underWay[at] ? 2 : 1)
  },
)

/** What the last server takes for the time is ours and the milliseconds that stand here. */
const clock = join(home, 'clock')

t.test(
  'SIGTERM under load drops no request, finishes what is nearly done, gives the rest back, and is done within 10 s',
  async (t) => {
    const order = (wait: string) => start(server, url, ['Navigate to /gate', `Wait ${wait}`])
    const [short, long] = await Promise.all([order('2s'), order('25s')])
    const steps = async (id: string) => (await server.rest(`GET /v1/runs/${id}`)).body.steps_done
    await until(async () => (await steps(short)) > 0 && (await steps(long)) > 0, 20, 'both under way')
    const writing = load()
    await until(async () => writing.acknowledged.length > 12, 20, 'writes')
    server.child.kill('SIGTERM')
    const told = Date.now()
    await until(async () => writing.errors.includes('ECONNREFUSED'), 10, 'a refusal')
    await sleep(300)
    await writing.end()
    t.equal((await server.ended).code, 0)
    const took = Date.now() - told
    t.comment(`stopped after ${took} ms, with a run under way for longer; ${writing.acknowledged.length} acknowledged`)
    limits.push({ what: 'stopped after SIGTERM', took, most: 10_000, starts: 0 })
    // The system resets connections that it made and nobody has taken yet when the server stops listening.
    const codes = new Set(writing.errors)
    codes.delete('ECONNRESET')
    t.same([...codes], ['ECONNREFUSED'], 'nothing but new connections is refused')
    t.same(writing.dropped, [], 'nothing is dropped on a connection that is kept')
    const began = Date.now()
    await serveAgain(2, {
      MOLAR_WRITES_PER_MINUTE: '1000', // a limit that the clock's jumps could upset
      NODE_OPTIONS: `--import=${new URL('../fixtures/shifted-clock.ts', import.meta.url)}`,
      CLOCK_FILE: clock,
    })
    await ready()
    const normal = Date.now() - began
    t.comment(`a server that was stopped well is ready after ${normal} ms`)
    t.match(
      (await server.rest(`GET /v1/runs/${short}`)).body,
      { status: 'passed', attempt: 1 },
      'the short one is done',
    )
    await until(async () => (await server.rest(`GET /v1/runs/${long}`)).body.attempt === 2, 10, 'the long one again')
    const back = Date.now() - began - normal
    t.ok(back < 5000, `given back at once: ${back} ms`)
    await server.rest(`POST /v1/runs/${long}/cancel`)
    const aborted = await ended(server, long, 5)
    t.equal(aborted.status, 'aborted')
    t.ok(isWhole(await eventsOf(server, aborted.trace_id)))
    for (const id of writing.untaken)
      t.equal((await server.rest(`GET /v1/scenarios/${id}`)).status, 404, 'what was reset had not been read')
    for (const { what, took, most, starts } of limits)
      t.ok(took < Math.max(most, starts * normal), `${what}: ${took} ms`)
    await nothingLost(t, writing)
  },
)

t.test('a wall clock that jumps by days costs neither runs nor callers anything', async (t) => {
  await withClient((owner) => jumps(t, owner))
  server.child.kill('SIGTERM')
  t.equal((await server.ended).code, 0)
})

const day = 86_400_000

/** The machine's clock or the database's is set: during runs, in the queue and between calls. */
async function jumps(t: Test, owner: pg.Client): Promise<void> {
  /** What the server takes for the time, in milliseconds from ours. */
  const serverClock = async () => {
    const { body } = await server.rest('POST /v1/api-keys', { name: 'dated' })
    const { body: audit } = await server.rest('GET /v1/audit-events?limit=1')
    t.equal(audit.items[0].target, body.id)
    return Date.parse(audit.items[0].at) - Date.now()
  }
  const jump = async (days: number) => {
    await writeFile(clock, String(days * day))
    server.child.kill('SIGUSR2')
    await until(
      async () => Math.abs((await serverClock()) - days * day) < 60_000,
      10,
      `a clock that is ${days} days off`,
    )
  }

  const passed = async () => (await server.rest('GET /v1/runs?status=passed&limit=200')).body.items.length
  const before = await passed()
  const steps = ['Navigate to /gate', 'Wait 3s', 'Navigate to /gate', 'Wait 1s', 'Assert heading "Gate" is visible']
  const order = ['forward', 'backward', 'lease', 'queued']
  const ids = await Promise.all(order.map(() => start(server, url, steps)))
  const following = readWithCuts(server, ids[0]!, 0, 2)
  const runs = async () => Promise.all(ids.map(async (id) => (await server.rest(`GET /v1/runs/${id}`)).body))
  const busy = () => runs().then((all) => all.filter((run) => run.status === 'running' && run.steps_done > 0))
  const upload = () => server.rest('POST /v1/scenarios', { content: one.content }, { 'idempotency-key': one.id })
  const one = scenario(url, ['Navigate to /'])

  const underWay = await until(
    async () => {
      const found = await busy()
      return found.length === 2 && found
    },
    30,
    'two runs under way',
  )
  const first = await upload()
  await jump(3)
  t.same((await upload()).body, first.body, 'an Idempotency-Key holds over a jump forward')
  await jump(-3)
  t.same((await upload()).body, first.body, 'and backward')
  t.equal((await server.rest('POST /v1/api-keys', { name: 'not limited' })).status, 201, 'no org is shut out')
  // The database's clock was set as well: by its own account one of them began long ago, the other will begin.
  const begins = underWay.map(({ id }, at) => [id, at === 0 ? '-40 days' : '40 days'])
  for (const [id, by] of begins)
    await owner.query('update runs set started_at = now() + $2::interval where id = $1', [id, by])

  const [third] = await until(
    async () => {
      const found = (await busy()).filter(({ id }) => !underWay.some((run) => run.id === id))
      return found.length > 0 && found
    },
    30,
    'a third run',
  )
  await owner.query(
    `update pgboss.job set heartbeat_on = heartbeat_on - interval '3 days' where data->>'run_id' = $1`,
    [third.id],
  )
  const all = await Promise.all(ids.map((id) => ended(server, id)))
  const { seqs, connections } = await following
  t.same(
    seqs,
    (await eventsOf(server, all[0].trace_id)).map(({ seq }) => seq),
    `a reader that is cut again and again reads everything once, over ${connections} connections`,
  )
  t.ok(connections > 5)
  for (const run of all) {
    const events = (await eventsOf(server, run.trace_id)) as {
      seq: number
      kind: string
      ts: number
      attempt: number
      duration_ms?: number
    }[]
    t.match(run, { status: 'passed' }, run.failure?.message)
    t.ok(isWhole(events), `${events.length} events without a gap, one end`)
    t.ok(run.attempt <= (run.id === third.id ? 2 : 1), `attempt ${run.attempt}`)
    const last = events.filter(({ attempt }) => attempt === run.attempt)
    t.ok(
      last.every(({ ts }, at) => at === 0 || ts >= last[at - 1]!.ts),
      'time goes forward in an attempt',
    )
    const took = last.at(-1)!.duration_ms!
    t.ok(took > 4000 && took < 60_000, `by the worker it took ${took} ms`)
    t.ok(
      run.steps.every(({ duration_ms }: { duration_ms: number }) => duration_ms >= 0 && duration_ms < 30_000),
      'no step took days',
    )
  }
  const byDatabase = Object.fromEntries(all.map(({ id, duration_ms }) => [id, duration_ms]))
  t.same(
    begins.map(([id]) => byDatabase[id!]),
    [2 ** 31 - 1, 0],
    'a duration that no clock could tell is bounded',
  )
  await jump(0)
  t.equal(await passed(), before + 4, 'lists are as they were')
}
