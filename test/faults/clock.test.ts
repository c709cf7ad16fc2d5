import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import t from 'tap'
import { createTestDatabase } from '../fixtures/database.ts'
import { hostileApp } from '../fixtures/hostile-app.ts'
import { emptyHome, ended, eventsOf, isWhole, scenario, serve, start, until } from '../fixtures/served.ts'

// A wall clock that is set while Molar works, the machine's or the database's, costs neither runs nor callers anything.

const day = 86_400_000

t.test('clocks that jump by days during runs, in the queue and between calls', async (t) => {
  const app = await hostileApp()
  const database = await createTestDatabase()
  t.teardown(async () => {
    await app.close()
    await database.drop()
  })
  const home = await emptyHome(t)
  const clock = join(home, 'clock')
  const server = await serve(t, home, {
    ...database.settings,
    MOLAR_WORKERS: '2',
    MOLAR_READS_PER_MINUTE: '0',
    MOLAR_WRITES_PER_MINUTE: '100',
    NODE_OPTIONS: `--import=${new URL('../fixtures/shifted-clock.ts', import.meta.url)}`,
    CLOCK_FILE: clock,
  })
  const owner = new pg.Client({ connectionString: database.ownerUrl })
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
  t.equal((await server.rest('GET /v1/runs')).body.items.length, 4)
  server.child.kill('SIGTERM')
  t.equal((await server.ended).code, 0)
})
