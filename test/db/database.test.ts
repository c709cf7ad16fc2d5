import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import t from 'tap'
import {
  DatabaseUnavailable,
  isCheckViolation,
  isForeignKeyViolation,
  isInsufficientPrivilege,
  isStatementTimeout,
  isUniqueViolation,
  openDatabase,
  silentLog,
} from '../../src/db/index.ts'
import { createTestDatabase } from '../fixtures/database.ts'

const test = await createTestDatabase()
const owner = new pg.Client({ connectionString: test.ownerUrl })
await owner.connect()
await owner.query(`
  create table notes (org_id uuid not null, id int, body text not null check (body <> ''), parent int,
    constraint notes_pkey primary key (org_id, id),
    constraint notes_parent_fkey foreign key (org_id, parent) references notes (org_id, id) deferrable);
  select app.tenant_table('notes');
  create table forgotten (org_id uuid, body text)`)
const db = openDatabase({
  url: test.url,
  listenUrl: test.listenUrl,
  applicationName: 'test',
  log: silentLog,
  max: 4,
  pipelineConnections: 2,
})
const [a, b] = [randomUUID(), randomUUID()]
const insert = 'insert into notes (org_id, id, body) values ($1, $2, $3)'
t.teardown(async () => {
  await db.close()
  await owner.end()
  await test.drop()
})

/** Cuts connections of the application from the server's side; resolves with how many. */
const cut = async (where = 'true'): Promise<number> =>
  (
    await owner.query(
      `select pg_terminate_backend(pid, 2000) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and ${where}`,
    )
  ).rowCount ?? 0

t.test('row-level security: each org sees and changes its own rows only', async (t) => {
  await db.tenant(a).query(insert, [a, 1, 'of a'])
  await db.tenant(b).query(insert, [b, 1, 'of b'])
  t.same(await db.tenant(a).query('select body from notes'), [{ body: 'of a' }])
  t.same(await db.tenant(a).query('select from notes where org_id = $1', [b]), [])
  t.same(await db.tenant(a).query('update notes set body = $2 where org_id = $1 returning id', [b, 'x']), [])
  t.same(await db.tenant(a).query('delete from notes where org_id = $1 returning id', [b]), [])
  t.same(await db.tenant(randomUUID()).query('select from notes'), [])
  const refused = await db
    .tenant(a)
    .query(insert, [b, 2, 'x'])
    .catch((error: unknown) => error)
  t.ok(isInsufficientPrivilege(refused), 'a row cannot be put into another org')
  const moved = await db
    .tenant(a)
    .query('update notes set org_id = $1', [b])
    .catch((error: unknown) => error)
  t.ok(isInsufficientPrivilege(moved), 'nor be moved there')
  t.same(await db.tenant(a).tx((q) => q.query('select body from notes')), [{ body: 'of a' }])
  t.same(await db.system.query('select body from notes order by body'), [{ body: 'of a' }, { body: 'of b' }])
})

t.test(
  'row-level security: without an org, without a role, and on a table nobody scoped, nothing is seen',
  async (t) => {
    const client = new pg.Client({ connectionString: test.url })
    await client.connect()
    t.teardown(() => client.end())
    await t.rejects(client.query('select from notes'), { code: '42501' }, 'the login has no rights')
    await client.query('begin; set local role molar_app')
    t.equal((await client.query('select from notes')).rowCount, 0, 'no setting')
    await client.query(`rollback; begin; set local app.org_id = '${a}'; commit; begin; set local role molar_app`)
    t.equal((await client.query('select from notes')).rowCount, 0, "after SET LOCAL the setting reads ''")
    await t.rejects(client.query('set local row_security = off; select from notes'), { code: '42501' })
    await client.query('rollback')
    await t.rejects(db.tenant(a).query('select from forgotten'), { code: '42501' })
    await t.rejects(db.system.query('select from forgotten'), { code: '42501' })
    await t.rejects(db.tenant(a).query('create table mine (id int)'), { code: '42501' })
    t.throws(() => db.tenant(`${a}'; reset role; --`), TypeError)
    t.throws(() => db.tenant(''), TypeError)
  },
)

t.test('role, org and limit end with the transaction, so that a session may be anyone’s next', async (t) => {
  const one = openDatabase({ url: test.url, applicationName: 'one', log: silentLog, max: 1, pipelineConnections: 1 })
  t.teardown(() => one.close())
  const who = `select current_user as role, current_setting('app.org_id', true) as org, current_setting('statement_timeout') as t`
  t.same(await one.tenant(a).query(who), [{ role: 'molar_app', org: a, t: '15s' }])
  t.same(await one.system.query(who, [], { timeoutMs: 2000 }), [{ role: 'molar_system', org: '', t: '2s' }])
  await one
    .tenant(a)
    .query('select 1/0')
    .catch(() => {})
  const mixed = await Promise.all([a, b, a, b].map((org) => one.tenant(org).query<{ org: string }>(who)))
  t.same(
    mixed.map(([row]) => row?.org),
    [a, b, a, b],
    'in one pipeline too',
  )
  await one.tenant(a).tx((q) => q.query(who))
  t.same(await owner.query(`select from pg_prepared_statements`).then(({ rowCount }) => rowCount), 0)
})

t.test('a statement that fails in the pipeline fails alone, and leaves nothing', async (t) => {
  const org = randomUUID()
  const all = await Promise.allSettled(
    Array.from({ length: 40 }, (_, i) =>
      i % 4 === 3 ? db.tenant(org).query('selec') : db.tenant(org).query(insert, [org, i, i % 4 === 2 ? '' : `${i}`]),
    ),
  )
  t.same(
    all.map(({ status }) => status === 'fulfilled'),
    Array.from({ length: 40 }, (_, i) => i % 4 < 2),
  )
  t.same(await db.tenant(org).query('select count(*) from notes'), [{ count: 20 }])
  const deferred = 'insert into notes (org_id, id, body, parent) values ($1, 100, $2, 99)'
  await owner.query('alter table notes alter constraint notes_parent_fkey deferrable initially deferred')
  const late = await db
    .tenant(org)
    .query(deferred, [org, 'x'])
    .catch((error: unknown) => error)
  t.ok(isForeignKeyViolation(late, 'notes_parent_fkey'), 'an error at the commit is the statement’s error')
  await t.rejects(db.tenant(org).query('select 1; select 2'), { code: '42601' }, 'one statement at a time')
})

t.test('errors are told apart', async (t) => {
  const org = randomUUID()
  const caught = (text: string, params: unknown[] = []) =>
    db
      .tenant(org)
      .query(text, params)
      .catch((e: unknown) => e)
  await db.tenant(org).query(insert, [org, 1, 'x'])
  const twice = await caught(insert, [org, 1, 'x'])
  t.ok(isUniqueViolation(twice) && isUniqueViolation(twice, 'notes_pkey') && !isUniqueViolation(twice, 'other'))
  t.ok(isCheckViolation(await caught(insert, [org, 2, ''])))
  const slow = await db
    .tenant(org)
    .query('select pg_sleep(5)', [], { timeoutMs: 30 })
    .catch((e: unknown) => e)
  t.ok(isStatementTimeout(slow))
  t.notOk(isUniqueViolation(new Error('no')) || isUniqueViolation(undefined))
})

t.test('values come as JavaScript means them', async (t) => {
  const [row] = await db.tenant(a).query(
    `select 5::int8 as n, '{1,2}'::int8[] as ns, '{}'::int8[] as none, '{"a":[1]}'::jsonb as j, '2026-01-02'::date as day,
       '2026-01-02T03:04:05Z'::timestamptz as at, 1.5::numeric as amount, null as nothing, $1::jsonb as given`,
    [{ b: 1 }],
  )
  t.same(row, {
    n: 5,
    ns: [1, 2],
    none: [],
    j: { a: [1] },
    day: '2026-01-02',
    at: new Date('2026-01-02T03:04:05Z'),
    amount: '1.5',
    nothing: null,
    given: { b: 1 },
  })
  await t.rejects(db.tenant(a).query('select 9007199254740993::int8'), RangeError)
  t.same(await db.tenant(a).query('select 1 as one'), [{ one: 1 }], 'and the connection goes on')
})

t.test('a transaction commits whole, rolls back whole, and does not hide a failed statement', async (t) => {
  const org = randomUUID()
  const count = () => db.tenant(org).query<{ count: number }>('select count(*) from notes')
  const add = (id: number): [string, unknown[]] => [insert, [org, id, 'x']]
  const value = await db.tenant(org).tx(async (q) => {
    await Promise.all([q.query(...add(1)), q.query(...add(2))])
    return 'done'
  })
  t.equal(value, 'done')
  const failed = db.tenant(org).tx(async (q) => {
    await q.query(...add(3))
    throw new Error('no')
  })
  await t.rejects(failed, { message: 'no' })
  const swallowed = db.tenant(org).tx(async (q) => {
    await q.query(...add(4))
    await q.query('select 1/0').catch(() => {})
  })
  await t.rejects(swallowed, /swallowed/)
  t.same(await count(), [{ count: 2 }])
  const kept = await db.tenant(org).tx(async (q) => [q])
  await t.rejects(kept[0]!.query('select 1'), /has ended/)
  await t.rejects(
    db.tenant(org).tx((q) => q.query('select 1; commit')),
    { code: '42601' },
    'no way out of it',
  )
})

t.test('transactions that meet are tried again if asked, and only then', async (t) => {
  const org = randomUUID()
  await db.tenant(org).query(insert, [org, 1, '0'])
  let readers = 0
  const increment = (retry: boolean) =>
    db.tenant(org).tx(
      async (q) => {
        const [row] = await q.query<{ body: string }>('select body from notes where id = 1')
        readers++
        for (let left = 100; left > 0 && readers < 2; left--) await sleep(5) // until both have read
        await q.query('update notes set body = $1 where id = 1', [`${Number(row!.body) + 1}`])
      },
      { isolation: 'repeatable read', retry },
    )
  const bare = await Promise.allSettled([increment(false), increment(false)])
  t.equal(bare.filter(({ status }) => status === 'rejected').length, 1)
  await Promise.all([increment(true), increment(true), increment(true)])
  t.same(await db.tenant(org).query('select body from notes'), [{ body: '4' }])
})

t.test('a slow statement does not hold up the others', async (t) => {
  const slow = Promise.all([1, 2].map(() => db.tenant(a).query('select pg_sleep(0.6)')))
  await sleep(100)
  const started = performance.now()
  await Promise.all([1, 2, 3].map(() => db.tenant(a).query('select 1')))
  t.ok(performance.now() - started < 350, 'both shared connections are busy; it took another')
  await slow
})

t.test('a cut connection fails what is in flight on it as unavailable, and is replaced', async (t) => {
  const org = randomUUID()
  const slow = [db.tenant(org).query('select pg_sleep(5)'), db.tenant(org).tx((q) => q.query('select pg_sleep(5)'))]
  const outcome = Promise.allSettled(slow)
  await sleep(150)
  t.equal(await cut(`query like '%pg_sleep(5)%'`), 2)
  for (const one of await outcome) {
    t.ok(one.status === 'rejected' && one.reason instanceof DatabaseUnavailable)
    t.match(one, { reason: { code: 'unavailable' } })
  }
  t.same(await db.tenant(org).query('select 1 as one'), [{ one: 1 }])
  t.same(await db.tenant(org).tx((q) => q.query('select 1 as one')), [{ one: 1 }])
  await cut(`application_name = 'test'`)
  await sleep(50)
  t.same(await db.tenant(org).query('select 1 as one'), [{ one: 1 }], 'idle ones are replaced unseen')
  t.same(await db.tenant(org).tx((q) => q.query('select 1 as one')), [{ one: 1 }])
})

t.test('with no server it is unavailable, not an unhandled error', async (t) => {
  const gone = new URL(test.url)
  gone.port = '1'
  const none = openDatabase({ url: gone.href, applicationName: 'none', log: silentLog })
  none.listen('anything', () => {})
  await t.rejects(none.tenant(a).query('select 1'), DatabaseUnavailable)
  await t.rejects(
    none.tenant(a).tx((q) => q.query('select 1')),
    DatabaseUnavailable,
  )
  await none.close()
})

t.test('listeners hear each payload, and are told when they may have missed some', async (t) => {
  const heard: string[] = []
  let ready = 0
  const stop = db.listen('Odd "name"', (payload) => heard.push(payload), { onReady: () => ready++ })
  const until = async (done: () => boolean) => {
    for (let left = 300; left > 0 && !done(); left--) await sleep(10)
    t.ok(done())
  }
  await until(() => ready === 1)
  const other: string[] = []
  db.listen('other', (payload) => other.push(payload))
  db.listen('Odd "name"', () => {
    throw new Error('one subscriber fails')
  })
  await db.notify('Odd "name"', 'one')
  await until(() => heard.length === 1)
  const before = ready
  t.equal(await cut(`application_name = 'test:listen'`), 1)
  await until(() => ready > before)
  await db.notify('Odd "name"', 'two')
  await db.tenant(a).tx(async (q) => void (await q.query('select pg_notify($1, $2)', ['other', 'three'])))
  await until(() => heard.length === 2 && other.length === 1)
  stop()
  await db.notify('Odd "name"', 'four')
  await sleep(30)
  t.same([heard, other], [['one', 'two'], ['three']])
})
