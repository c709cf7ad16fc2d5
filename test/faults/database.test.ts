import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { hostileApp } from '../fixtures/hostile-app.ts'
import {
  emptyHome,
  ended,
  environment,
  eventsOf,
  isWhole,
  readWithCuts,
  scenario,
  serve,
  start,
  until,
} from '../fixtures/served.ts'
import { run as molar } from '../fixtures/world.ts'

// Nothing that was acknowledged is lost when the embedded database starts twice or is killed.

const app = await hostileApp()
t.teardown(() => app.close())

t.test('two and four first starts at once on an empty home: one database, one org, one key', async (t) => {
  for (const count of [2, 4]) {
    const home = await emptyHome(t)
    const me = () => molar(['identity', 'me', '--json'], environment(home))
    const all = await Promise.all(Array.from({ length: count }, me))
    t.same(
      all.map(({ code }) => code),
      Array(count).fill(0),
      all.map(({ stderr }) => stderr).join('\n'),
    )
    t.equal(new Set(all.map(({ stdout }) => JSON.parse(stdout).org.id)).size, 1, 'one org')
    t.equal((await stat(join(home, 'key'))).mode & 0o777, 0o600)
    const keys = await molar(['keys', 'list', '--json'], environment(home))
    t.equal(JSON.parse(keys.stdout).items.length, 1, 'one key')
  }
})

t.test(
  'PostgreSQL killed with -9 under load: 503 with Retry-After, then well again, nothing acknowledged lost',
  async (t) => {
    const home = await emptyHome(t)
    const server = await serve(t, home, { MOLAR_WORKERS: '1' })
    const waits = Array.from({ length: 8 }, () => 'Wait 700ms')
    const id = await start(server, app.url, ['Navigate to /', ...waits, 'Assert heading "Home" is visible'])
    const following = readWithCuts(server, id, 200)
    await until(async () => (await server.rest(`GET /v1/runs/${id}`)).body.steps_done > 1, 30, 'the run is under way')

    const acknowledged: string[] = []
    const unsure: { key: string; id: string; content: string }[] = []
    const unlike: string[] = []
    let wellAgain = 0
    let killed = 0
    let lasting = true
    const load = async (name: string) => {
      for (let at = 0; lasting; at++) {
        const one = scenario(app.url, ['Navigate to /'])
        const key = `${name}-${at}`
        const answer = await server.rest('POST /v1/scenarios', { content: one.content }, { 'idempotency-key': key })
        if (answer.status === 200) {
          acknowledged.push(one.id)
          if (unsure.length > 0) wellAgain ||= Date.now()
        } else if (answer.status === 503 && answer.headers.has('retry-after')) {
          unsure.push({ key, ...one })
          wellAgain = 0
          await sleep(50)
        } else unlike.push(`${answer.status} ${JSON.stringify(answer.body).slice(0, 200)}`)
      }
    }
    const loads = Promise.all(['a', 'b', 'c', 'd'].map(load))
    await sleep(700)
    const { stdout } = await molar(['db', 'status', '--json'], environment(home))
    const before = acknowledged.length
    killed = Date.now()
    process.kill(JSON.parse(stdout).pid, 'SIGKILL')
    await until(async () => wellAgain > 0 && Date.now() > wellAgain + 1000, 20, 'it is well again')
    lasting = false
    await loads
    t.ok(before > 5, `${before} writes before`)
    t.same(unlike, [], 'no answer but 200 and 503 with Retry-After')
    t.ok(wellAgain - killed < 10_000, `well again after ${wellAgain - killed} ms; ${unsure.length} answers of 503`)

    const repeated = Date.now()
    for (const { key, id, content } of unsure) {
      const send = () => server.rest('POST /v1/scenarios', { content }, { 'idempotency-key': key })
      await until(async () => (await send()).status === 200, 20, `the repetition of ${key}`)
      acknowledged.push(id)
    }
    t.ok(Date.now() - repeated < 15_000, `sent again with their Idempotency-Key: ${Date.now() - repeated} ms`)
    const there = new Set<string>()
    for (let next = ''; ; ) {
      const { body } = await server.rest(`GET /v1/scenarios?limit=200&fields=id${next}`)
      for (const one of body.items) there.add(one.id)
      if (!body.next_cursor) break
      next = `&cursor=${body.next_cursor}`
    }
    t.same(
      acknowledged.filter((one) => !there.has(one)),
      [],
      `${acknowledged.length} acknowledged writes are all there`,
    )

    const run = await ended(server, id)
    const events = await eventsOf(server, run.trace_id)
    t.match(run, { status: 'passed', attempt: 1 }, `the run went on: ${run.failure?.message}`)
    t.ok(isWhole(events), `${events.length} events`)
    const seqs = events.map(({ seq }) => seq)
    t.same((await following).seqs, seqs, 'a reader of the run missed nothing')
    server.child.kill('SIGTERM')
    t.equal((await server.ended).code, 0)
  },
)
