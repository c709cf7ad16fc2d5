import pg from 'pg'
import { newId } from '../src/core/ids.ts'
import { listTraces } from '../src/core/traces/store.ts'
import { openDatabase, silentLog } from '../src/db/index.ts'
import { createTestDatabase, testCluster } from '../test/fixtures/database.ts'
import { quantile, quick, spread, tell, timeLeft } from './row.ts'

// A page of traces out of many against a page out of few: p95 of each kind of list, and the ratio. Usage: bench/lists.ts [many] [few]
// Many are as many as there is time to make.

const [most = 1_000_000, few = 10_000] = process.argv.slice(2).map(Number)
const slice = 50_000
let many = 0
const rounds = quick ? 20 : 60

const database = await createTestDatabase()
const orgs = { few: newId(), many: newId() }
const scenario = newId()
try {
  const owner = new pg.Client({ connectionString: database.ownerUrl })
  await owner.connect()
  await owner.query('set session_replication_role = replica') // traces alone, without the runs they belong to
  for (const name of ['few', 'many'] as const)
    await owner.query('insert into orgs (id, slug, name) values ($1, $2, $2)', [orgs[name], name])
  const insert = (name: 'few' | 'many', from: number, to: number) =>
    owner.query(
      `insert into traces (id, org_id, run_id, short_id, scenario_id, scenario_title, status, source, failure_signature, failure_message, created_at)
       select gen_random_uuid(), $1, gen_random_uuid(), $2 || lpad(i::text, 8, '0'), case when i % 50 = 0 then $3::uuid else gen_random_uuid() end,
         'Checkout ' || i % 1000, case when i % 10 = 0 then 'failed' else 'passed' end, 'manual',
         case when i % 10 = 0 then 'assertion:' || i % 100 end, case when i % 10 = 0 then 'Expected the text number ' || i else '' end,
         now() - i * interval '1 second'
       from generate_series($4::int, $5::int) i`,
      [orgs[name], name[0], scenario, from, to],
    )
  await insert('few', 1, few)
  for (; many < most && (many === 0 || timeLeft()); many += slice) await insert('many', many + 1, many + slice)
  await owner.query('vacuum analyze traces')
  await owner.end()

  const db = openDatabase({ url: database.url, applicationName: 'bench:lists', log: silentLog })
  const deep = { few: await deepKey(db, orgs.few, few), many: await deepKey(db, orgs.many, many) }
  const questions: Record<string, (org: 'few' | 'many') => Promise<unknown>> = {
    newest: (org) => listTraces(db.tenant(orgs[org]), {}, undefined, 51),
    failed: (org) => listTraces(db.tenant(orgs[org]), { status: 'failed' }, undefined, 51),
    scenario: (org) => listTraces(db.tenant(orgs[org]), { scenario_id: scenario }, undefined, 51),
    'deep cursor': (org) => listTraces(db.tenant(orgs[org]), {}, deep[org], 51),
    'search, one hit': (org) =>
      listTraces(db.tenant(orgs[org]), { q: `number ${org === 'few' ? 500 : 5000}` }, undefined, 51),
  }
  for (const [name, ask] of Object.entries(questions)) {
    const times: Record<'few' | 'many', number[]> = { few: [], many: [] }
    for (let round = 0; round < rounds; round++) {
      for (const org of ['few', 'many'] as const) {
        const start = performance.now()
        await ask(org)
        times[org].push(performance.now() - start)
      }
    }
    tell({
      what: `traces list (${name}), ${many} / ${few} traces, p95`,
      value: quantile(times.many, 0.95) / quantile(times.few, 0.95),
      most: 1.5,
      detail: `${spread(times.many, 2)} against ${spread(times.few, 2)} ms`,
    })
  }
  await db.close()
} finally {
  await database.drop()
  await (await testCluster()).leave()
}

/** A cursor nine tenths of the way down. */
async function deepKey(db: ReturnType<typeof openDatabase>, org: string, count: number) {
  const [row] = await db
    .tenant(org)
    .query<{ created_at: string; id: string }>(
      'select created_at, id from traces order by created_at desc, id desc offset $1 limit 1',
      [Math.floor(count * 0.9)],
      { timeoutMs: 120_000 },
    )
  return row!
}
