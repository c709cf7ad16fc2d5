import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import pg from 'pg'
import t from 'tap'
import { migrate, openDatabase, prepareDatabase, silentLog } from '../../src/db/index.ts'
import { testCluster } from '../fixtures/database.ts'

const cluster = await testCluster()
const appUser = new URL(cluster.appUrl).username
const admin = new pg.Client({ connectionString: cluster.ownerUrl })
await admin.connect()
const made: string[] = []
t.teardown(async () => {
  for (const name of made) await admin.query(`drop database if exists ${name} with (force)`)
  await admin.end()
})

async function emptyDatabase(): Promise<{ ownerUrl: string; url: string }> {
  const name = `test_${Date.now().toString(36)}_${randomBytes(4).toString('hex')}`
  await admin.query(`create database ${name}`)
  made.push(name)
  const [ownerUrl, url] = [cluster.ownerUrl, cluster.appUrl].map((one) => {
    const changed = new URL(one)
    changed.pathname = `/${name}`
    return changed.href
  })
  return { ownerUrl: ownerUrl!, url: url! }
}

async function directoryOf(t: Tap, files: Record<string, string>): Promise<URL> {
  const directory = await mkdtemp(join(tmpdir(), 'molar-sql-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text)
  return pathToFileURL(`${directory}/`)
}
type Tap = { teardown(fn: () => unknown): void }

const one = { '000001_one.sql': 'create table one (id int);\ninsert into one values (1);' }
const two = { ...one, '000002_two.sql': 'create table two (id int)' }

t.test('real files: two databases of a cluster at once, four migrators each, every file applied once', async (t) => {
  const databases = await Promise.all([emptyDatabase(), emptyDatabase()])
  const runs = databases.flatMap(({ ownerUrl }) =>
    [1, 2, 3, 4].map(() => prepareDatabase(ownerUrl, { log: silentLog, appUser })),
  )
  const applied = await Promise.all(runs)
  for (const part of [applied.slice(0, 4), applied.slice(4)]) {
    const names = part.flat()
    t.equal(names.length, new Set(names).size)
    t.ok(names.includes('roles'))
  }
  const db = openDatabase({ url: databases[0]!.url, applicationName: 'test', log: silentLog })
  t.same(await db.system.query('select current_user::text as role'), [{ role: 'molar_system' }])
  await db.close()
})

t.test('a prepared database is found so without a lock; what is missing is made', async (t) => {
  const { ownerUrl } = await emptyDatabase()
  const prepare = () => prepareDatabase(ownerUrl, { log: silentLog, appUser })
  await prepare()
  const owner = new pg.Client(ownerUrl)
  await owner.connect()
  t.teardown(() => owner.end())
  await owner.query('select pg_advisory_lock(5570002), pg_advisory_lock(5570004)') // migrate's and installQueue's
  t.same(await prepare(), [])
  await owner.query('select pg_advisory_unlock_all()')
  await owner.query('drop schema pgboss cascade')
  t.same(await prepare(), [])
  const { rows } = await owner.query(`select to_regclass('pgboss.job') is not null as there`)
  t.same(rows, [{ there: true }])
  await owner.query(`update app.migrations set checksum = 'other' where id = 1`)
  await t.rejects(prepare(), /Applied files are never edited/)
})

t.test('files apply in order, once, and later ones are added', async (t) => {
  const { ownerUrl } = await emptyDatabase()
  const first = { log: silentLog, directory: await directoryOf(t, one) }
  t.same(await migrate(ownerUrl, first), ['one'])
  t.same(await migrate(ownerUrl, first), [])
  t.same(await migrate(ownerUrl, { log: silentLog, directory: await directoryOf(t, two) }), ['two'])
  await t.rejects(migrate(ownerUrl, first), /knows 1. Update Molar/, 'older code on a newer schema')
})

t.test('a file that fails leaves nothing of itself, and says its name', async (t) => {
  const { ownerUrl } = await emptyDatabase()
  const bad = { ...one, '000002_bad.sql': 'create table half (id int); select 1/0;' }
  const directory = await directoryOf(t, bad)
  await t.rejects(migrate(ownerUrl, { log: silentLog, directory }), /Migration 2 \(bad\) failed: division by zero/)
  const fixed = await directoryOf(t, { ...one, '000002_bad.sql': 'create table half (id int)' })
  t.same(await migrate(ownerUrl, { log: silentLog, directory: fixed }), ['bad'])
})

t.test('an applied file that was edited is refused; other line ends are no edit', async (t) => {
  const { ownerUrl } = await emptyDatabase()
  await migrate(ownerUrl, { log: silentLog, directory: await directoryOf(t, one) })
  const windows = await directoryOf(t, { '000001_one.sql': one['000001_one.sql'].replaceAll('\n', '\r\n') })
  t.same(await migrate(ownerUrl, { log: silentLog, directory: windows }), [])
  const edited = await directoryOf(t, { '000001_one.sql': `${one['000001_one.sql']} -- edited` })
  await t.rejects(migrate(ownerUrl, { log: silentLog, directory: edited }), /Applied files are never edited/)
})

t.test('a missing or doubled number is refused', async (t) => {
  const directory = await directoryOf(t, { ...one, '000003_three.sql': 'select 1' })
  await t.rejects(migrate(cluster.ownerUrl, { log: silentLog, directory }), /expected 2, found 000003_three.sql/)
})

t.test('a migrator that is no superuser is enough for the roles', async (t) => {
  const { ownerUrl } = await emptyDatabase()
  const database = new URL(ownerUrl).pathname.slice(1)
  const login = `migrator_${randomBytes(4).toString('hex')}`
  await admin.query(`create role ${login} login password 'secret' createrole; alter database ${database} owner to ${login};
    grant molar_app, molar_system to ${login} with admin option`)
  t.teardown(async () => {
    await admin.query(`drop database if exists ${database} with (force)`)
    await admin.query(`drop role ${login}`)
  })
  const url = new URL(ownerUrl)
  url.username = login
  url.password = 'secret'
  const sql = (name: string) => readFile(new URL(`../../src/db/sql/${name}.sql`, import.meta.url), 'utf8')
  const directory = await directoryOf(t, {
    '000001_roles.sql': await sql('000001_roles'),
    '000002_act_as.sql': await sql('000011_act_as'),
  })
  t.same(await migrate(url.href, { log: silentLog, directory }), ['roles', 'act_as'])
  const db = openDatabase({ url: url.href, applicationName: 'test', log: silentLog })
  t.teardown(() => db.close())
  t.same(await db.system.query('select current_user::text as role'), [{ role: 'molar_system' }], 'one URL for both')
})
