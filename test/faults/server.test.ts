import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import { createTestDatabase } from '../fixtures/database.ts'
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

// Nothing that was acknowledged is lost when the server is killed or stopped, or its clock is set.

const day = 86_400_000

const app = await hostileApp()
t.teardown(() => app.close())

t.test('a server killed with -9 while runs wait and run: each ends once, without gap or repeat', async (t) => {
  const database = await createTestDatabase()
  t.teardown(() => database.drop())
  const home = await emptyHome(t)
  const more = { ...database.settings, MOLAR_WORKERS: '2', ...unlimited }
  const first = await serve(t, home, more)
  const underWay = async (server: typeof first, steps: number) => {
    const { body } = await server.rest('GET /v1/runs?status=running')
    return body.items.filter((run: { steps_done: number }) => run.steps_done >= steps).length === 2
  }
  const steps = ['Navigate to /', 'Wait 1s', 'Assert heading "Home" is visible', 'Wait 1s']
  const ids = await Promise.all(Array.from({ length: 3 }, () => start(first, app.url, steps)))
  await until(() => underWay(first, 2), 30, 'two runs under way')
  first.child.kill('SIGKILL')
  await first.ended
  const killed = Date.now()
  const second = await serve(t, home, more)
  const runs = await Promise.all(ids.map((id) => ended(second, id)))
  t.same(
    runs.map(({ status }) => status),
    Array(3).fill('passed'),
    runs.map(({ failure }) => failure?.message).join('\n'),
  )
  t.same(runs.map(({ attempt }) => attempt).sort(), [1, 2, 2], 'those that were under way began again')
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
    const clock = join(home, 'clock')
    const third = await serve(t, home, {
      ...more,
      MOLAR_WRITES_PER_MINUTE: '100',
      NODE_OPTIONS: `--import=${new URL('../fixtures/shifted-clock.ts', import.meta.url)}`,
      CLOCK_FILE: clock,
    })
    const began = Date.now()
    t.match((await third.rest(`GET /v1/runs/${short}`)).body, { status: 'passed', attempt: 1 }, 'the short one is done')
    await until(async () => (await third.rest(`GET /v1/runs/${long}`)).body.attempt === 2, 10, 'the long one again')
    t.ok(Date.now() - began < 5000, `given back at once: ${Date.now() - began} ms`)
    await third.rest(`POST /v1/runs/${long}/cancel`)
    const aborted = await ended(third, long, 5)
    t.equal(aborted.status, 'aborted')
    t.ok(isWhole(await eventsOf(third, aborted.trace_id)))

    await t.test('a wall clock that jumps by days costs neither runs nor callers anything', (t) =>
      jumps(t, third, database.ownerUrl, clock),
    )
    third.child.kill('SIGTERM')
    t.equal((await third.ended).code, 0)
  })
})

/** The machine's clock or the database's is set: during runs, in the queue and between calls. */
async function jumps(t: Test, server: Served, ownerUrl: string, clock: string): Promise<void> {
  const owner = new pg.Client({ connectionString: ownerUrl })
  await owner.connect()
  t.teardown(() => owner.end())
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

  const steps = ['Navigate to /', 'Wait 3s', 'Navigate to /', 'Wait 1s', 'Assert heading "Home" is visible']
  const order = ['forward', 'backward', 'lease', 'queued']
  const ids = await Promise.all(order.map(() => start(server, app.url, steps)))
  const following = readWithCuts(server, ids[0]!, 0, 2)
  const runs = async () => Promise.all(ids.map(async (id) => (await server.rest(`GET /v1/runs/${id}`)).body))
  const busy = () => runs().then((all) => all.filter((run) => run.status === 'running' && run.steps_done > 0))
  const upload = () => server.rest('POST /v1/scenarios', { content: one.content }, { 'idempotency-key': one.id })
  const one = scenario(app.url, ['Navigate to /'])

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
  t.equal((await server.rest('GET /v1/runs?status=passed')).body.items.length, 8, 'lists are as they were')
}
