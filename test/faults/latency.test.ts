import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createTestDatabase, overTcp } from '../fixtures/database.ts'
import { hostileApp } from '../fixtures/hostile-app.ts'
import {
  emptyHome,
  ended,
  eventsOf,
  isWhole,
  readWithCuts,
  type Served,
  scenario,
  serve,
  start,
  unlimited,
  until,
} from '../fixtures/served.ts'

// A database that is far away, or whose connections break, makes Molar slow; it makes it neither wrong nor stuck.

/** Ways to servers on loopback that a test makes long or cuts, all at once: the database's, and its pooler's where there is one. */
function makeWay(t: Test) {
  const sockets = new Set<Socket>()
  const way = {
    delay: 0,
    reset() {
      for (const socket of sockets) socket.resetAndDestroy()
    },
    /** The same address by such a way. */
    async to(address: string): Promise<string> {
      const there = new URL(overTcp(address))
      const server = createServer((near) => {
        const far = connect(Number(there.port), '127.0.0.1')
        near.setNoDelay(true)
        far.setNoDelay(true)
        pass(near, far)
        pass(far, near)
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      // Not by a reset: node may wait for ever, at its end, for a socket that was reset then.
      t.teardown(async () => {
        const closed = new Promise((resolve) => server.close(resolve))
        for (const socket of sockets) socket.destroy()
        await closed
      })
      return Object.assign(new URL(there), { port: String((server.address() as AddressInfo).port) }).href
    },
  }
  const pass = (from: Socket, into: Socket) => {
    // In order, also when the way becomes short: what came before must have arrived.
    let arrived: Promise<unknown> = Promise.resolve()
    from.on('data', (bytes) => {
      arrived = Promise.all([arrived, way.delay > 0 && sleep(way.delay / 2)]).then(() => into.write(bytes))
    })
    from.on('error', () => {})
    from.on('close', () => into.destroy())
    sockets.add(from)
    from.on('close', () => sockets.delete(from))
  }
  return way
}

const app = await hostileApp()
t.teardown(() => app.close())
const database = await createTestDatabase()
t.teardown(() => database.drop())
const way = makeWay(t)
const server = await serve(t, await emptyHome(t), {
  DATABASE_URL: await way.to(database.url),
  MOLAR_LISTEN_URL: await way.to(database.listenUrl),
  MOLAR_MIGRATION_URL: await way.to(database.ownerUrl),
  MOLAR_WORKERS: '2',
  ...unlimited,
})
const steps = ['Navigate to /', 'Wait 2s', 'Assert heading "Home" is visible', 'Wait 2s', 'Navigate to /']

/** `count` calls at once: milliseconds until each was answered, and every answer that is not 200. */
async function burst(count: number, ask: (server: Served) => Promise<{ status: number; body: unknown }>) {
  const bad: string[] = []
  const began = performance.now()
  const took = await Promise.all(
    Array.from({ length: count }, async () => {
      const { status, body } = await ask(server)
      if (status !== 200) bad.push(`${status} ${JSON.stringify(body)}`)
      return Math.round(performance.now() - began)
    }),
  )
  took.sort((a, b) => a - b)
  return { bad, median: took[count >> 1]!, last: took.at(-1)! }
}
const read = () => server.rest('GET /v1/runs?limit=1')
const write = () => server.rest('POST /v1/scenarios', { content: scenario(app.url, ['Navigate to /']).content })

t.test('a database 500 ms away: calls and runs take longer and nothing else', async (t) => {
  const near = { read: await burst(40, read), write: await burst(4, write) }
  way.delay = 500
  const one = await burst(1, read)
  const began = Date.now()
  const order = (lines: string[]) => start(server, app.url, lines)
  const [id, doomed] = await Promise.all([order(steps), order(['Navigate to /', 'Wait 25s'])])
  const cancelled = async () => {
    await until(async () => (await server.rest(`GET /v1/runs/${doomed}`)).body.steps_done > 0, 30, 'it is under way')
    const told = Date.now()
    await server.rest(`POST /v1/runs/${doomed}/cancel`)
    const { status } = await ended(server, doomed)
    t.comment(`cancelled after ${Date.now() - told} ms`)
    return status
  }
  const all = [ended(server, id), cancelled(), burst(40, read), burst(4, write)] as const
  const [run, status, reads, writes] = await Promise.all(all)
  t.comment(`a run with 4 s of waiting: ${Date.now() - began} ms from order to verdict and all the rest beside it`)
  t.comment(`40 reads at once: last after ${near.read.last} ms near, ${reads.last} ms far (one alone ${one.last} ms)`)
  t.comment(`4 writes at once: last after ${near.write.last} ms near, ${writes.last} ms far`)
  t.same([...one.bad, ...reads.bad, ...writes.bad], [], 'every call is answered')
  t.match(run, { status: 'passed', attempt: 1 }, run.failure?.message)
  t.ok(isWhole(await eventsOf(server, run.trace_id)))
  t.equal(status, 'aborted')
  way.delay = 0
})

t.test('connections that break again and again: 200 or 503, the run goes on, its readers miss nothing', async (t) => {
  const id = await start(server, app.url, steps)
  const following = readWithCuts(server, id, 50)
  const statuses: Record<string, number> = {}
  const unlike: string[] = []
  const acknowledged: string[] = []
  let lasting = true
  const loops = Promise.all(
    [1, 2, 3].map(async () => {
      while (lasting) {
        const one = scenario(app.url, ['Navigate to /'])
        const { status, body, headers } = await server.rest('POST /v1/scenarios', { content: one.content })
        statuses[status] = (statuses[status] ?? 0) + 1
        if (status === 200) acknowledged.push(one.id)
        else if (status !== 503 || !headers.has('retry-after')) unlike.push(`${status} ${JSON.stringify(body)}`)
        await sleep(150)
      }
    }),
  )
  for (let cuts = 0; cuts < 8; cuts++) {
    await sleep(500)
    way.reset()
  }
  const cut = Date.now()
  const before = acknowledged.length
  await until(async () => acknowledged.length > before, 10, 'a write after the last cut')
  t.comment(`8 cuts of all connections: ${JSON.stringify(statuses)}; well ${Date.now() - cut} ms after the last`)
  const run = await ended(server, id, 120)
  lasting = false
  await loops
  t.same(unlike, [], 'no answer but 200 and 503 with Retry-After')
  const events = await eventsOf(server, run.trace_id)
  t.match(run, { status: 'passed' }, run.failure?.message)
  t.ok(run.attempt <= 2, `attempt ${run.attempt}: a verdict that meets a cut is reached again`)
  t.ok(isWhole(events), `${events.length} events`)
  t.same(
    (await following).seqs,
    events.map(({ seq }) => seq),
    'its reader got each once',
  )
  const there = await Promise.all(acknowledged.slice(-100).map((id) => server.rest(`GET /v1/scenarios/${id}`)))
  t.ok(
    there.every(({ status }) => status === 200),
    'acknowledged writes are there',
  )
})

t.test('a reader that is cut 100 times gets each event once', async (t) => {
  const { id, content } = scenario(app.url, ['Navigate to /'])
  await server.rest('POST /v1/scenarios', { content })
  const { status, body: run } = await server.rest('POST /v1/runs', { scenario_id: id, executor: 'external' })
  t.equal(status, 201, JSON.stringify(run).slice(0, 300))
  const total = 210
  const reading = readWithCuts(server, run.id, 0, 2)
  for (let seq = 1; seq < total; seq += 30) {
    const events = Array.from({ length: 30 }, (_, at) => ({ seq: seq + at, ts: Date.now(), kind: 'log', message: 'm' }))
    const verdict = seq + 30 > total && { verdict: { status: 'errored' } }
    const taken = await server.rest(`POST /v1/runs/${run.id}/ingest`, { events, ...verdict })
    t.equal(taken.status, 200, JSON.stringify(taken.body).slice(0, 300))
  }
  const { seqs, connections } = await reading
  const events = await eventsOf(server, run.trace_id)
  t.comment(`${connections} connections for ${events.length} events`)
  t.ok(isWhole(events) && events.length > total)
  t.same(
    seqs,
    events.map(({ seq }) => seq),
    'without gap or repeat',
  )
  t.ok(connections > 100, `${connections} connections`)
})
