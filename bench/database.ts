/**
 * What a tenant's transaction costs against a plain query: side by side, 16 callers, one row by primary key. The budget is
 * that of our usual statement, `tenant.query`, a transaction of its own; an explicit `tenant.tx` is told beside it.
 */
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { openDatabase, silentLog } from '../src/db/index.ts'
import { createTestDatabase, testCluster } from '../test/fixtures/database.ts'
import { quick, ratio, spread, tell } from './row.ts'

const callers = 16
const sliceMs = 700
const rounds = quick ? 2 : 5

const database = await createTestDatabase()
const owner = new pg.Client(database.ownerUrl)
await owner.connect()
await owner.query(`create table bench (org_id uuid not null, id int, body text, primary key (org_id, id));
  create table plain (like bench including all);
  grant select on plain to molar_login;
  select app.tenant_table('bench')`)
const org = randomUUID()
await owner.query(`insert into bench select $1::uuid, i, repeat('x', 200) from generate_series(1, 10000) i`, [org])
await owner.query(`insert into bench select gen_random_uuid(), i, repeat('x', 200) from generate_series(1, 10000) i`)
await owner.query('insert into plain select * from bench')
await owner.query('vacuum analyze')

const db = openDatabase({ url: database.url, applicationName: 'bench', log: silentLog })
const tenant = db.tenant(org)
const pool = new pg.Pool({ connectionString: database.url, max: 16 })
const smallPool = new pg.Pool({ connectionString: database.url, max: 4 })
const lanes = await Promise.all(
  [1, 2, 3, 4].map(async () => {
    const client = new pg.Client({ connectionString: database.url, pipeline: true })
    await client.connect()
    return client
  }),
)
const text = 'select id, body from plain where org_id = $1 and id = $2'
const some = () => 1 + Math.floor(Math.random() * 10_000)
let turn = 0
const ways: Record<string, () => Promise<unknown>> = {
  'plain, pool of 16': () => pool.query(text, [org, some()]),
  'plain, pool of 4': () => smallPool.query(text, [org, some()]),
  'plain, 4 pipelined': () => lanes[turn++ % 4]!.query(text, [org, some()]),
  'tenant.query': () => tenant.query('select id, body from bench where id = $1', [some()]),
  'tenant.tx of one': () => tenant.tx((q) => q.query('select id, body from bench where id = $1', [some()])),
}

async function rate(call: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  let done = 0
  const caller = async () => {
    while (performance.now() - started < sliceMs) {
      await call()
      done++
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return (done / (performance.now() - started)) * 1000
}

const rates = new Map<string, number[]>()
for (let round = -1; round < rounds; round++) {
  for (const [name, call] of Object.entries(ways)) {
    const found = await rate(call)
    if (round >= 0) rates.set(name, [...(rates.get(name) ?? []), found]) // the first round only warms up
  }
}
const base = rates.get('plain, pool of 16')!
for (const [name, list] of rates) {
  if (list === base) continue
  tell({
    what: `${name} / plain query, pool of 16`,
    value: ratio(list, base),
    ...(name === 'tenant.query' && { least: 0.8 }),
    detail: `${spread(list)} against ${spread(base)} a second`,
  })
}
await Promise.all([db.close(), pool.end(), smallPool.end(), owner.end(), ...lanes.map((lane) => lane.end())])
await database.drop()
await (await testCluster()).leave()
