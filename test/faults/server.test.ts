import t from 'tap'
import { createTestDatabase } from '../fixtures/database.ts'
import { hostileApp } from '../fixtures/hostile-app.ts'
import {
  emptyHome,
  ended,
  eventsOf,
  isWhole,
  readWithCuts,
  serve,
  start,
  unlimited,
  until,
} from '../fixtures/served.ts'

// Nothing that was acknowledged is lost when the server is killed or stopped.

const app = await hostileApp()
t.teardown(() => app.close())

t.test('a server killed with -9 while runs wait and run: each ends once, without gap or repeat', async (t) => {
  const database = await createTestDatabase()
  t.teardown(() => database.drop())
  const home = await emptyHome(t)
  const more = {
    ...database.settings,
    MOLAR_WORKERS: '2',
    ...unlimited,
  }
  const first = await serve(t, home, more)
  const underWay = async (server: typeof first, steps: number) => {
    const { body } = await server.rest('GET /v1/runs?status=running')
    return body.items.filter((run: { steps_done: number }) => run.steps_done >= steps).length === 2
  }
  const steps = ['Navigate to /', 'Wait 1s', 'Assert heading "Home" is visible', 'Wait 1s', 'Navigate to /']
  const ids = await Promise.all(Array.from({ length: 5 }, () => start(first, app.url, steps)))
  await until(() => underWay(first, 2), 30, 'two runs under way')
  first.child.kill('SIGKILL')
  await first.ended
  const killed = Date.now()
  const second = await serve(t, home, more)
  const runs = await Promise.all(ids.map((id) => ended(second, id)))
  t.same(
    runs.map(({ status }) => status),
    Array(5).fill('passed'),
    runs.map(({ failure }) => failure?.message).join('\n'),
  )
  t.same(runs.map(({ attempt }) => attempt).sort(), [1, 1, 1, 2, 2], 'those that were under way began again')
  t.ok(Date.now() - killed < 50_000, `${Date.now() - killed} ms`)
  for (const run of runs) {
    const events = await eventsOf(second, run.trace_id)
    t.ok(isWhole(events), `${events.length} events of a run with ${run.attempt} attempt(s)`)
    t.equal(events.filter(({ kind }) => kind === 'run.start').length, run.attempt)
  }

  await t.test('SIGTERM finishes what is nearly done and gives the rest back', async (t) => {
    const short = await start(second, app.url, ['Navigate to /', 'Wait 2s'])
    const long = await start(second, app.url, ['Navigate to /', 'Wait 25s'])
    await until(() => underWay(second, 1), 20, 'both under way')
    const told = Date.now()
    second.child.kill('SIGTERM')
    t.equal((await second.ended).code, 0)
    t.ok(Date.now() - told < 16_000, `stopped after ${Date.now() - told} ms`)
    const third = await serve(t, home, more)
    const began = Date.now()
    t.match((await third.rest(`GET /v1/runs/${short}`)).body, { status: 'passed', attempt: 1 }, 'the short one is done')
    await until(async () => (await third.rest(`GET /v1/runs/${long}`)).body.attempt === 2, 10, 'the long one again')
    t.ok(Date.now() - began < 5000, `given back at once: ${Date.now() - began} ms`)
    await third.rest(`POST /v1/runs/${long}/cancel`)
    const aborted = await ended(third, long, 5)
    t.equal(aborted.status, 'aborted')
    t.ok(isWhole(await eventsOf(third, aborted.trace_id)))

    await t.test('a reader that is cut again and again reads everything once', async (t) => {
      const id = await start(third, app.url, ['Navigate to /endless', 'Wait 1s', 'Navigate to /', 'Wait 300ms'])
      const read = await readWithCuts(third, id)
      const run = await ended(third, id)
      const events = await eventsOf(third, run.trace_id)
      const seqs = events.map(({ seq }) => seq)
      t.same(read.seqs, seqs, `${events.length} events over ${read.connections} connections`)
      t.ok(read.connections > 5)
    })
  })
})
