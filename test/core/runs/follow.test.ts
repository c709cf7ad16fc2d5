import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { newId } from '../../../src/core/ids.ts'
import { exampleRunId } from '../../../src/core/runs/example.ts'
import { followRun, leaseStore, type RunEvent, runNews, runStore } from '../../../src/core/runs/index.ts'
import { exampleScenario } from '../../../src/core/scenarios/example.ts'
import { openDatabase, silentLog } from '../../../src/db/index.ts'
import { seedExampleRun } from '../../fixtures/example-run.ts'
import { world } from '../../fixtures/world.ts'

// Many who follow, one who writes: nobody misses or repeats an event, and the database is asked once for all.

const here = await world(t)
await here.rest('POST /v1/scenarios', { content: exampleScenario })
await seedExampleRun(here)
const database = openDatabase({
  url: here.config.databaseUrl!,
  listenUrl: here.config.listenUrl,
  applicationName: 'test:follow',
  log: silentLog,
})
t.teardown(() => database.close())
const orgId = (await here.rest('GET /v1/me')).body.org.id
const db = database.tenant(orgId)

let reads = 0
const news = runNews(
  (channel, onMessage, options) => database.listen(channel, onMessage, options),
  (cursors) => {
    reads++
    return runStore.readTails(database.system, cursors)
  },
)
t.teardown(() => news.close())

t.test('2,000 readers, 50 of them slow, each get 200 events in order, none lost', async (t) => {
  const { run, write, end } = await newRun()
  const delays: number[] = []
  const readers = Array.from({ length: 2000 }, (_, number) => {
    const slow = number % 40 === 0
    return (async () => {
      let last = 0
      await followRun(db, news, run.id, 0, new AbortController().signal, (event) => {
        if (event.seq !== last + 1) throw new Error(`reader ${number} got ${event.seq} after ${last}`)
        last = event.seq
        if (slow && event.seq % 20 === 0) return sleep(Math.random() * 20)
        if (event.kind === 'log') delays.push(Date.now() - event.ts)
      })
      return last
    })()
  })
  await sleep(500)
  for (let batch = 0; batch < 10; batch++) {
    await write(Array.from({ length: 20 }, () => ({ kind: 'log', ts: Date.now() })))
    await sleep(40)
  }
  await end()
  const lasts = await Promise.all(readers)
  t.ok(
    lasts.every((last) => last === 201),
    'every reader came to the end',
  )
  delays.sort((a, b) => a - b)
  const at = (share: number) => delays[Math.floor(delays.length * share)]
  t.comment(`delivery p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; ${reads} reads of the database`)
  t.ok(reads < 300, 'the database is asked for all at once')
})

t.test('a reader that comes late gets the past from the table and the rest live', async (t) => {
  const { run, write, end } = await newRun()
  await write(Array.from({ length: 700 }, () => ({ kind: 'log' })))
  const seen: number[] = []
  const reading = (async () => {
    await followRun(db, news, run.id, 3, new AbortController().signal, ({ seq }) => void seen.push(seq))
  })()
  await write(Array.from({ length: 10 }, () => ({ kind: 'log' })))
  await end()
  await reading
  t.same(
    seen,
    Array.from({ length: 708 }, (_, place) => place + 4),
  )
})

t.test('an ended run is read to its end and an abort ends a wait', async (t) => {
  const kinds: string[] = []
  await followRun(db, news, exampleRunId, 0, new AbortController().signal, ({ kind }) => void kinds.push(kind))
  t.equal(kinds.at(-1), 'run.end')
  const { run } = await newRun()
  await followRun(db, news, run.id, 0, AbortSignal.timeout(100), () => void t.fail('there are no events'))
})

/** A running run of its own, and its only writer. */
async function newRun() {
  const { body } = await here.rest('POST /v1/runs/manual', { scenario_id: 'example-home' })
  const run = { id: body.id as string, orgId, lease: newId() }
  await db.tx((tx) => leaseStore.claimRun(tx, run.id, run.lease))
  let seq = 0
  const write = async (events: { kind: string; ts?: number }[]) => {
    const rows = events.map(
      ({ kind, ts = Date.now() }) => ({ seq: ++seq, ts, kind, step_id: null, attempt: 1 }) as RunEvent,
    )
    await db.tx((tx) => leaseStore.insertEvents(tx, run, rows))
  }
  return { run, write, end: () => write([{ kind: 'run.end' }]) }
}
