import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import t from 'tap'
import { installQueue, openDatabase, openQueue, silentLog } from '../../src/db/index.ts'
import { createTestDatabase } from '../fixtures/database.ts'

const test = await createTestDatabase()
const owner = new pg.Client({ connectionString: test.ownerUrl })
await owner.connect()
const database = openDatabase({ url: test.url, listenUrl: test.listenUrl, applicationName: 'test', log: silentLog })
const queues = { brief: { retryLimit: 1 } }
const open = () => openQueue({ database, log: silentLog, queues })
const queue = await open()
const [a, b] = [randomUUID(), randomUUID()]
t.teardown(async () => {
  await queue.stop({ waitMs: 0 })
  await database.close()
  await owner.end()
  await test.drop()
})

async function until(done: () => boolean | Promise<boolean>, ms = 10_000): Promise<boolean> {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(10)) if (await done()) return true
  return false
}

t.test('a job commits with the transaction that sends it, and not without', async (t) => {
  const seen: object[] = []
  await queue.work('tx', { slots: 2 }, async (job) => void seen.push(job))
  const undone = database.tenant(a).tx(async (tx) => {
    await queue.send('tx', { n: 1 }, { tx, orgId: a })
    throw new Error('no')
  })
  await t.rejects(undone, /no/)
  const id = await database.tenant(a).tx((tx) => queue.send('tx', { n: 2 }, { tx, orgId: a }))
  t.ok(await until(() => seen.length > 0))
  await sleep(50)
  t.same(seen, [{ id, name: 'tx', data: { n: 2 }, orgId: a, attempt: 1 }])
  t.ok(await until(async () => (await queue.find('tx', id!))?.state === 'completed'))
})

t.test('an org adds jobs and reads none', async (t) => {
  await t.rejects(database.tenant(a).query('select data from pgboss.job'), { code: '42501' })
  await t.rejects(database.tenant(a).query(`update pgboss.job set priority = 1`), { code: '42501' })
  await t.rejects(database.tenant(a).query('delete from pgboss.job'), { code: '42501' })
})

t.test('one job of a key waits or runs; another org’s key is another key', async (t) => {
  const send = (orgId: string) => queue.send('single', {}, { orgId, singletonKey: 'k' })
  const sent = await Promise.all([send(a), send(a), send(b)])
  t.equal(sent.filter((id) => id !== null).length, 2)
  let release = () => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  const worker = await queue.work('single', { slots: 2 }, () => held)
  t.ok(await until(() => worker.running === 2))
  t.equal(await send(a), null, 'also while it runs')
  release()
  t.ok(await until(() => worker.running === 0))
  t.ok(await until(async () => (await send(a)) !== null))
})

t.test('a job that fails is tried again, up to its limit', async (t) => {
  const attempts: number[] = []
  await queue.work('brief', { slots: 1 }, async ({ attempt }) => {
    attempts.push(attempt)
    throw new Error('it broke')
  })
  const id = await queue.send('brief', {})
  t.ok(await until(async () => (await queue.find('brief', id!))?.state === 'failed'))
  t.same(attempts, [1, 2])
  t.match(await queue.find('brief', id!), { output: { message: 'it broke' } })
})

t.test('a job that starts later starts later, and one of higher priority first', async (t) => {
  const seen: string[] = []
  const later = Date.now() + 1200
  await queue.send('order', { name: 'later' }, { startAfter: new Date(later), priority: 9 })
  await queue.send('order', { name: 'low' })
  await queue.send('order', { name: 'high' }, { priority: 5 })
  await queue.work<{ name: string }>('order', { slots: 1 }, async ({ data }) => {
    if (data.name === 'later') t.ok(Date.now() >= later - 50)
    seen.push(data.name)
  })
  t.ok(await until(() => seen.length === 3))
  t.same(seen, ['high', 'low', 'later'])
})

t.test('limits per org are exact over several workers, and a noisy org does not keep others waiting', async (t) => {
  const others = await Promise.all([open(), open()])
  t.teardown(() => Promise.all(others.map((one) => one.stop({ waitMs: 0 }))))
  await Promise.all(Array.from({ length: 60 }, () => queue.send('fair', {}, { orgId: a })))
  await Promise.all(Array.from({ length: 10 }, () => queue.send('fair', {}, { orgId: b })))
  const running: Record<string, number> = { [a]: 0, [b]: 0 }
  let most = 0
  const done: string[] = []
  for (const one of [queue, ...others]) {
    await one.work('fair', { slots: 3, perOrgLimit: 2 }, async ({ orgId }) => {
      running[orgId!]!++
      most = Math.max(most, running[orgId!]!)
      await sleep(10 + Math.random() * 10)
      running[orgId!]!--
      done.push(orgId!)
    })
  }
  t.ok(await until(() => done.length === 70, 20_000))
  t.equal(most, 2)
  t.ok(done.lastIndexOf(b) < 35, `the small org was done after ${done.lastIndexOf(b) + 1} of 70`)
})

t.test('a job whose heartbeat ran out goes to another worker, and the old one’s word counts no more', async (t) => {
  const signals: AbortSignal[] = []
  await queue.work('beat', { slots: 2, heartbeatSeconds: 3 }, async ({ attempt }, { signal }) => {
    signals.push(signal)
    if (attempt === 1) await until(() => signal.aborted, 20_000)
    return { attempt }
  })
  const id = await queue.send('beat', {})
  t.ok(await until(() => signals.length === 1))
  // Somebody sets the machine's clock back: the next look for dead workers does not wait for an hour.
  const { now } = Date
  Date.now = () => now() - 3_600_000
  t.teardown(() => {
    Date.now = now
  })
  // Again and again: its worker is alive, and beats.
  const age = () =>
    owner.query(`update pgboss.job set heartbeat_on = now() - interval '1 minute' where id = $1 and retry_count = 0`, [
      id,
    ])
  const aging = setInterval(() => void age(), 40)
  t.ok(await until(() => signals.length === 2, 15_000), 'started again')
  clearInterval(aging)
  t.ok(await until(async () => (await queue.find('beat', id!))?.state === 'completed'))
  t.ok(await until(() => signals[0]!.aborted), 'the old one is told')
  await sleep(50)
  t.match(await queue.find('beat', id!), { output: { attempt: 2 } })
})

t.test('stopping waits, then aborts and gives back what is left, without counting the attempt', async (t) => {
  const other = await open()
  t.teardown(() => other.stop())
  const seen: number[] = []
  const worker = await other.work('stop', { slots: 1 }, async (_, { signal }) => {
    await until(() => signal.aborted)
  })
  const id = await queue.send('stop', {})
  const waiting = await queue.send('stop', {})
  t.ok(await until(() => worker.running === 1))
  await worker.stop({ waitMs: 50 })
  t.equal((await queue.find('stop', id!))?.state, 'created')
  t.equal((await queue.find('stop', waiting!))?.state, 'created')
  await queue.work('stop', { slots: 2 }, async ({ attempt }) => void seen.push(attempt))
  t.ok(await until(() => seen.length === 2))
  t.same(seen, [1, 1])
})

t.test('a cut database connection loses no job', async (t) => {
  let done = 0
  await queue.work('cut', { slots: 4 }, async () => {
    await sleep(20)
    done++
  })
  const ids = await Promise.all(Array.from({ length: 20 }, () => queue.send('cut', {})))
  await owner.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
  )
  const completed = async () =>
    (await owner.query(`select from pgboss.job where id = any($1) and state = 'completed'`, [ids])).rowCount === 20
  t.ok(await until(completed, 40_000))
  t.ok(done >= 20)
})

t.test('installing again, also by several at once, changes nothing', async () => {
  await Promise.all([1, 2, 3].map(() => installQueue(test.ownerUrl, { log: silentLog })))
})
