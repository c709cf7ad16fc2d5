import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import pg from 'pg'
import { pino } from 'pino'
import t from 'tap'
import { finishPurges } from '../../../src/core/orgs/index.ts'
import { exampleScenario } from '../../../src/core/scenarios/example.ts'
import { openServices } from '../../../src/server/services.ts'
import { type SignedIn, signedIn } from '../../fixtures/signed-in.ts'
import { world } from '../../fixtures/world.ts'

// What an org owns leaves with it: as an archive before its end, and altogether at its end.

const here = await world(t)
const { person, org, sql } = await signedIn(t, here)
const migrator = new pg.Client({ connectionString: here.config.migrationUrl })
await migrator.connect()
t.teardown(() => migrator.end())
const asMigrator = (text: string) => migrator.query(text)
const services = await openServices(here.config, { log: pino({ level: 'silent' }) })
t.teardown(() => services.close())

const sha256Of = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** An org with something in every corner: a scenario with runs and jobs, a trace with blobs, keys, invitations, mails. */
async function furnished(slug: string, owner: SignedIn, guest: SignedIn) {
  const id = await org(slug, [
    [owner, 'owner'],
    [guest, 'viewer'],
  ])
  const at = { 'x-org-id': id }
  const post = async (route: string, body: object) => {
    const answer = await owner.rest(`POST ${route}`, body, at)
    if (answer.status > 201) throw new Error(`${route}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  await post('/v1/scenarios', { content: exampleScenario })
  await post('/v1/runs/manual', { scenario_id: 'example-home', base_url: 'http://127.0.0.1:9' })
  const run = await post('/v1/runs', { scenario_id: 'example-home', base_url: 'http://127.0.0.1:9' })
  const key = await post('/v1/api-keys', { name: 'ci' })
  await post('/api/v1/tokens', { name: 'mine' })
  await post(`/api/v1/orgs/${slug}/invitations`, { email: 'late@example.com' })
  const notes = Buffer.from(`notes of ${slug}`)
  const reported = await owner.rest(
    `POST /v1/runs/${run.id}/ingest`,
    {
      events: [{ seq: 1, ts: Date.now(), kind: 'run.start' }],
      artifacts: [{ kind: 'console', name: 'notes.txt', size: notes.length, sha256: sha256Of(notes) }],
      files: [{ name: 'notes.txt', media_type: 'text/plain', base64: notes.toString('base64') }],
      verdict: { status: 'passed' },
    },
    { ...at, 'idempotency-key': `of ${slug}` },
  )
  if (reported.status > 201) throw new Error(JSON.stringify(reported.body))
  await owner.rest('GET /v1/me', undefined, at)
  return { id, key: key.api_key as string, run: run.id as string }
}

/** Tables, and in the queue jobs, that hold something of the org; the record of its end apart. */
async function leftOf(id: string): Promise<string[]> {
  const tables = await sql(
    `select c.table_schema || '.' || c.table_name as name from information_schema.columns c
     join information_schema.tables t using (table_schema, table_name)
     where c.column_name = 'org_id' and t.table_type = 'BASE TABLE' and c.table_name <> 'org_purges'`,
  )
  const found: string[] = []
  for (const { name } of tables)
    if ((await sql(`select from ${name} where org_id = $1 limit 1`, [id])).length > 0) found.push(name)
  if ((await sql('select from orgs where id = $1', [id])).length > 0) found.push('orgs')
  if ((await sql('select from sessions where active_org_id = $1', [id])).length > 0) found.push('sessions')
  if ((await sql('select from pgboss.job where group_id = $1 or data::text like $2', [id, `%${id}%`])).length > 0)
    found.push('pgboss.job')
  if (existsSync(join(here.home, 'blobs', id))) found.push('blobs')
  return found
}

const [owner, guest] = [await person('owner'), await person('guest')]

t.test('an export holds every row and blob of its org, no other’s, and no secret; its link is good once', async (t) => {
  const mine = await furnished('mine', owner, guest)
  const theirs = await furnished('theirs', guest, owner)
  t.equal((await guest.rest('GET /api/v1/orgs/mine/export')).status, 403, 'a viewer exports nothing')
  const redirect = await owner.rest('GET /api/v1/orgs/mine/export')
  t.equal(redirect.status, 302)
  const url = redirect.headers.get('location')!
  const answer = await fetch(url)
  t.match(answer, { status: 200 })
  t.match(answer.headers.get('content-disposition'), /molar-mine\.tar\.gz/)
  const files = untar(gunzipSync(Buffer.from(await answer.arrayBuffer())))
  t.equal((await fetch(url)).status, 401, 'once')
  const taken = await sql(`select result from audit_events where command = 'orgs.export' and org_id = $1`, [mine.id])
  t.strictSame(taken, [{ result: 'ok' }], 'who took it is on record')
  t.equal((await fetch(url.replace(mine.id, theirs.id))).status, 403)

  const manifest = JSON.parse(files.get('manifest.json')!.toString())
  t.match(manifest, { format: 'molar-export/1', org_id: mine.id, blobs: { missing: [] } })
  for (const { name, sha256, bytes } of manifest.files) {
    t.equal(sha256Of(files.get(name)!), sha256, name)
    t.equal(files.get(name)!.length, bytes)
  }
  const blobs = [...files.keys()].filter((name) => name.startsWith('blobs/'))
  t.equal(blobs.length, manifest.blobs.count)
  t.ok(blobs.length > 0)
  for (const name of blobs) t.equal(`blobs/${sha256Of(files.get(name)!)}`, name)

  const counted = new Map<string, number>()
  for (const { name, rows } of manifest.files) {
    const table = /^tables\/(.+)-\d{4}\.ndjson$/.exec(name)?.[1]
    if (table) counted.set(table, (counted.get(table) ?? 0) + rows)
  }
  for (const [table, rows] of counted) {
    const [{ count }] = await sql(`select count(*)::int as count from ${table} where org_id = $1`, [mine.id])
    if (table !== 'link_uses') t.equal(rows, count, table)
  }
  for (const table of [
    'scenario_versions',
    'runs',
    'run_events',
    'traces',
    'credentials',
    'audit_events',
    'invitations',
  ])
    t.ok(counted.get(table)! > 0, table)
  const text = [...files].map(([, bytes]) => bytes.toString('latin1')).join('\n')
  t.notMatch(text, mine.key)
  t.notMatch(text, theirs.id)
  t.notMatch(text, /"(fingerprint|secrets|code)":/)
  t.match(files.get('people.ndjson')!.toString(), /owner@example\.com/)

  const late = (await owner.rest('GET /api/v1/orgs/mine/export')).headers.get('location')!
  await sql(`update orgs set status = 'deleting' where id = $1`, [mine.id])
  await t.rejects(
    fetch(late).then((answer) => answer.arrayBuffer()),
    'an org that ends meanwhile gives no archive that looks whole',
  )
  await sql(`update orgs set status = 'running' where id = $1`, [mine.id])
})

t.test('a deleted org leaves no row, job, blob or credential, and a record of its end', async (t) => {
  // A table that comes later is emptied too, though nobody told the purge of it.
  await asMigrator('create table widgets (id uuid primary key, org_id uuid not null references orgs, name text)')
  await asMigrator(`select app.tenant_table('widgets')`)
  await asMigrator('create table widget_parts (widget_id uuid references widgets, org_id uuid not null)')
  await asMigrator(`select app.tenant_table('widget_parts')`)
  const gone = await furnished('gone', owner, guest)
  const stays = await furnished('stays', owner, guest)
  for (const { id } of [gone, stays]) {
    await sql('insert into widgets values ($1, $1)', [id])
    await sql('insert into widget_parts values ($1, $1)', [id])
  }
  await owner.rest('POST /v1/sessions/org', { org: 'gone' })
  const before = await leftOf(gone.id)
  for (const table of [
    'public.runs',
    'public.widget_parts',
    'public.audit_events',
    'public.idempotency_keys',
    'pgboss.job',
    'blobs',
  ])
    t.ok(before.includes(table), `there is something in ${table}`)
  const others = await leftOf(stays.id)
  t.equal((await guest.rest('DELETE /api/v1/orgs/gone')).status, 403)
  t.equal((await owner.rest('DELETE /api/v1/orgs/gone')).status, 204)
  t.same(await leftOf(gone.id), [])
  t.same(await leftOf(stays.id), others, 'the other org has all that it had')
  t.equal((await here.rest('GET /v1/me', undefined, { authorization: `Bearer ${gone.key}` })).status, 401)
  t.equal((await owner.rest('GET /api/v1/orgs/gone')).status, 404)
  t.equal((await owner.rest('DELETE /api/v1/orgs/gone')).status, 404)
  const [record] = await sql('select org_slug, status, last_step, attempts from org_purges where org_id = $1', [
    gone.id,
  ])
  t.same(record, { org_slug: 'gone', status: 'completed', last_step: 'late_blobs', attempts: 1 })
  await asMigrator('drop table widget_parts, widgets')
})

t.test('a purge that fails says so, and goes on when it is asked for again, or by itself', async (t) => {
  const broken = await furnished('broken', owner, guest)
  await asMigrator('create table unscoped (org_id uuid not null)') // whoever made it gave nobody any right
  await asMigrator(`insert into unscoped values ('${broken.id}')`)
  const failed = await owner.rest('DELETE /api/v1/orgs/broken')
  t.match(failed, { status: 500, body: { error: 'purge_failed', purge_id: /^[\da-f-]{36}$/ } })
  const record = async () =>
    (await sql('select id, status, last_step, last_error, attempts from org_purges where org_id = $1', [broken.id]))[0]
  t.match(await record(), {
    id: failed.body.purge_id,
    status: 'failed',
    last_step: 'blobs',
    last_error: /unscoped/,
    attempts: 1,
  })
  t.equal(
    (await here.rest('GET /v1/me', undefined, { authorization: `Bearer ${broken.key}` })).status,
    401,
    'keys are dead by now',
  )
  await asMigrator('drop table unscoped')
  t.match(await owner.rest('DELETE /api/v1/orgs/broken'), { status: 204 })
  t.match(await record(), { id: failed.body.purge_id, status: 'completed', last_error: null, attempts: 2 })
  t.same(await leftOf(broken.id), [])

  // A process that died in the middle: the record says running, and nobody runs it.
  const dead = await furnished('dead', owner, guest)
  await sql(
    `insert into org_purges (id, org_id, org_slug, status, last_step, updated_at) values ($1, $1, 'dead', 'running', 'access', now())`,
    [dead.id],
  )
  await sql(`update orgs set status = 'deleting' where id = $1`, [dead.id])
  t.equal((await owner.rest('DELETE /api/v1/orgs/dead')).status, 409, 'under way, as far as anybody can tell')
  await sql(`update org_purges set updated_at = now() - interval '10 minutes' where org_id = $1`, [dead.id])
  // Bytes that a worker stored after its org's end.
  mkdirSync(join(here.home, 'blobs', broken.id, 'ab'), { recursive: true })
  t.equal(await finishPurges(services.db, services.blobs, services.log), 1)
  t.same(await leftOf(dead.id), [])
  t.notOk(readdirSync(join(here.home, 'blobs')).includes(broken.id))
  t.equal(await finishPurges(services.db, services.blobs, services.log), 0)
})

/** The files of a tar archive, by a reader that is not ours to begin with: sizes and checksums are checked. */
function untar(archive: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  for (let at = 0; archive[at] !== 0; ) {
    const header = archive.subarray(at, at + 512)
    const text = (from: number, length: number) =>
      header
        .toString('utf8', from, from + length)
        .replace(/\0.*$/s, '')
        .trim()
    const sum = header.reduce((total, byte, place) => total + (place >= 148 && place < 156 ? 32 : byte), 0)
    if (sum !== Number.parseInt(text(148, 8), 8)) throw new Error(`a wrong checksum at ${at}`)
    const size = Number.parseInt(text(124, 12), 8)
    files.set(text(0, 100), archive.subarray(at + 512, at + 512 + size))
    at += 512 + Math.ceil(size / 512) * 512
  }
  return files
}
