import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { pino } from 'pino'
import t from 'tap'
import { type Config, readConfig } from '../../../src/config.ts'
import { newId } from '../../../src/core/ids.ts'
import { serve } from '../../../src/server/serve.ts'
import { cliHere } from '../../fixtures/run-here.ts'
import { world } from '../../fixtures/world.ts'

// Secrets go in and never come out, but in the hands of a run; and a new MOLAR_SECRET logs nobody out.

const [first, second, third] = ['first, with a comma', 'second', 'third'].map(
  (name) => `${name} secret of this installation`,
)
const here = await world(t, { workers: 1, environment: { MOLAR_SECRET: first! } })
const owner = new pg.Client({ connectionString: here.config.migrationUrl })
await owner.connect()
owner.on('error', () => {}) // its database is dropped under it

const app = createServer((request, response) => {
  const given = new URL(request.url!, 'http://app').searchParams.get('pin')
  response.setHeader('content-type', 'text/html')
  response.end(`<h1>${given === null ? 'Home' : ['stored-pin-1831', 'given-pin-4412'].indexOf(given)}</h1>`)
})
await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
t.teardown(() => app.close())
const base_url = `http://127.0.0.1:${(app.address() as AddressInfo).port}`

const scenario = (expected: number) => `---
spec_version: '1.0'
id: ${newId()}
slug: pin-${newId()}
description: Uses a stored secret.
secrets: [PIN]
---
# Pin

## Steps
1. Navigate to /?pin=\${secrets.PIN}
2. Assert heading "${expected}" is visible
`

async function run(expected: number, secrets: Record<string, string> = {}) {
  const order = { files: [{ content: scenario(expected) }], base_url, secrets, wait: 50 }
  const { status, body } = await here.rest('POST /v1/runs/batch', order)
  if (status >= 400) return body
  return (await here.rest(`GET /v1/runs/${body.runs[0].id}`)).body
}

/** Every row of every table as text. */
async function everything(): Promise<string> {
  const { rows: tables } = await owner.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('public', 'app', 'pgboss')`,
  )
  const all: string[] = []
  for (const { name } of tables) {
    const { rows } = await owner.query(`select t::text as row from ${name} t`)
    all.push(...rows.map(({ row }) => row))
  }
  return all.join('\n')
}

t.test('a stored secret can be named, replaced, used by runs and deleted, but not read', async (t) => {
  t.match(await run(0), {
    error: 'validation_failed',
    message: /MOLAR_S005 the secret PIN has no value.*molar_set_secret/,
  })
  const put = await here.rest('PUT /v1/secrets/PIN', { value: 'replaced-pin-7777' }, { 'idempotency-key': 'set' })
  t.match(put, { status: 200, body: { name: 'PIN' } })
  t.same(Object.keys(put.body).sort(), ['created_at', 'name', 'updated_at'])
  t.match(await here.rest('PUT /v1/secrets/PIN', { value: 'stored-pin-1831' }), { status: 200 })
  const used = await run(0)
  t.match(used, { status: 'passed' }, used.failure?.message)
  const over = await run(1, { PIN: 'given-pin-4412' })
  t.match(over, { status: 'passed' }, 'what is given with the run counts more')
  const { body: events } = await here.rest(`GET /api/v1/traces/${used.trace_id}/events?limit=200`)
  t.match(JSON.stringify(events), /pin=/, 'the page’s address is in the trace')
  const outline = { url: `${base_url}/`, steps: 'Navigate to /?pin=${secrets.PIN}' }
  t.match((await here.rest('POST /v1/pages/outline', outline)).body, { status: 'done', outline: /heading "0"/ })

  const list = await here.rest('GET /v1/secrets')
  t.match(list.body.items, [{ name: 'PIN' }])
  const seen = JSON.stringify([put.body, list.body, events, used, over, await here.rest('GET /v1/audit-events')])
  const stored = await everything()
  for (const value of ['replaced-pin-7777', 'stored-pin-1831', 'given-pin-4412']) {
    t.notOk(seen.includes(value), `no answer holds ${value}`)
    for (const form of [value, Buffer.from(value).toString('base64').slice(0, 18), Buffer.from(value).toString('hex')])
      t.notOk(stored.includes(form), `no row holds ${form}`)
  }
  t.match(stored, /secrets\.set/, 'where what is no secret is found by the same search')
  t.match(await here.rest('DELETE /v1/secrets/PIN'), { status: 200, body: { name: 'PIN' } })
  t.match(await run(0), { error: 'validation_failed' })
})

t.test('a row that was moved, or swapped for an older one, does not open', async (t) => {
  await here.rest('PUT /v1/secrets/A', { value: 'a-one' })
  const { rows } = await owner.query(`select sealed from secrets where name = 'A'`)
  await here.rest('PUT /v1/secrets/A', { value: 'a-two' })
  await owner.query(`update secrets set sealed = $1 where name = 'A'`, [rows[0].sealed])
  const content = scenario(0).replaceAll('PIN', 'A')
  const { body } = await here.rest('POST /v1/runs/batch', { files: [{ content }], base_url, wait: 50 })
  const failed = (await here.rest(`GET /v1/runs/${body.runs[0].id}`)).body
  t.match(failed, { status: 'errored' })
  await here.rest('DELETE /v1/secrets/A')
})

const quiet = pino({ level: 'silent' })
const configured = (environment: Record<string, string>): Config =>
  readConfig({
    MOLAR_HOME: here.home,
    DATABASE_URL: here.config.databaseUrl!,
    MOLAR_MIGRATION_URL: here.config.migrationUrl!,
    MOLAR_PORT: '0',
    MOLAR_WORKERS: '0',
    ...environment,
  })
async function withServer(environment: Record<string, string>, use: (url: string) => Promise<void>) {
  const server = await serve(configured(environment), { log: quiet, version: '0.0.0-test' })
  await use(server.url).finally(() => server.close())
}
const rotate = (environment: Record<string, string>, ...flags: string[]) =>
  cliHere(here, ['secrets', 'rotate', '--json', ...flags], {
    DATABASE_URL: here.config.databaseUrl!,
    MOLAR_MIGRATION_URL: here.config.migrationUrl!,
    ...environment,
  })

t.test('a new MOLAR_SECRET logs nobody out and breaks nothing, and the old one is then worth nothing', async (t) => {
  const ask = async (url: string, path: string, key = here.token) =>
    fetch(url + path, { headers: { authorization: `Bearer ${key}` } })
  const { body: made } = await here.rest('POST /v1/api-keys', { name: 'made before' })
  await here.rest('PUT /v1/secrets/PIN', { value: 'stored-pin-1831' })
  const { body: page } = await here.rest('GET /v1/audit-events?limit=1')
  const { body: runs } = await here.rest('GET /v1/runs?status=passed&limit=1')
  const artifact = async () => (await here.rest(`GET /v1/runs/${runs.items[0].id}/artifacts/report`)).body.url as string
  const link = await artifact()
  const works = async (url: string, what: string) => {
    t.equal((await ask(url, '/v1/me')).status, 200, `${what}: the owner’s key`)
    t.equal((await ask(url, '/v1/me', made.api_key)).status, 200, `${what}: another key`)
    t.equal((await ask(url, `/v1/audit-events?limit=1&cursor=${page.next_cursor}`)).status, 200, `${what}: a cursor`)
    t.equal((await fetch(link.replace(new URL(link).origin, url))).status, 200, `${what}: a signed link`)
  }
  const both = { MOLAR_SECRET: second!, MOLAR_SECRET_PREVIOUS: first! }
  await t.rejects(serve(configured({ MOLAR_SECRET: second! }), { log: quiet, version: '0' }), {
    message: /wrapped by another MOLAR_SECRET.*MOLAR_SECRET_PREVIOUS/,
  })
  await withServer(both, (url) => works(url, 'beside the old one'))

  // Broken off after the first org: the rest is found again.
  const { rows: before } = await owner.query('select wrapped from org_keys')
  const said = await rotate(both)
  t.equal(said.code, 0, said.stderr)
  t.same(JSON.parse(said.stdout), {
    installation_keys: 1,
    new_key: true,
    org_keys: 1,
    org_keys_left: 0,
    second_factors: 0,
    apps: 0,
  })
  t.same(JSON.parse((await rotate(both)).stdout), {
    installation_keys: 0,
    new_key: false,
    org_keys: 0,
    org_keys_left: 0,
    second_factors: 0,
    apps: 0,
  })
  await owner.query('update org_keys set wrapped = $1', [before[0].wrapped])
  t.match(
    JSON.parse((await rotate({ MOLAR_SECRET: second! })).stdout),
    { org_keys: 1, org_keys_left: 0 },
    'gone on with',
  )

  await works(here.url, 'a server that was started under the old one')
  await withServer({ MOLAR_SECRET: second! }, async (url) => {
    await works(url, 'the new one alone')
    const post = async (path: string, body: object) => {
      const headers = { authorization: `Bearer ${here.token}`, 'content-type': 'application/json' }
      return (await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })).json() as any
    }
    const content = scenario(0)
    const slug = /slug: (.*)/.exec(content)![1]!
    await post('/v1/scenarios', { content })
    const { id, trace_id } = await post('/v1/runs', { scenario_id: slug, executor: 'external', base_url })
    const event = { seq: 1, ts: Date.now(), kind: 'log', message: 'the pin is stored-pin-1831' }
    await post(`/v1/runs/${id}/ingest`, { events: [event] })
    const { body } = await here.rest(`GET /api/v1/traces/${trace_id}/events`)
    t.match(JSON.stringify(body), /the pin is/)
    t.notMatch(JSON.stringify(body), 'stored-pin-1831', 'what the org has stored is opened, to be scrubbed')
  })
  await t.rejects(serve(configured({ MOLAR_SECRET: first! }), { log: quiet, version: '0' }), {
    message: /wrapped by another MOLAR_SECRET/,
  })

  await owner.query(`update installation_keys set active_at = now() - interval '1 minute'`)
  await withServer({ MOLAR_SECRET: second! }, (url) => works(url, 'under the new key'))
  const forged = await artifact()
  t.ok(forged, 'the old server signs under the old key still')
  await owner.query(`update installation_keys set active_at = now() - interval '25 hours'`)
  await withServer({ MOLAR_SECRET: second! }, async (url) => {
    t.equal((await ask(url, '/v1/me')).status, 200, 'a day later a key is good still')
    t.equal((await fetch(forged.replace(new URL(forged).origin, url))).status, 403, 'what the old key signs is not')
  })
  const twice = { MOLAR_SECRET: third!, MOLAR_SECRET_PREVIOUS: `${second},something` }
  t.match(JSON.parse((await rotate(twice)).stdout), { installation_keys: 2, new_key: true, org_keys: 1 }, 'and again')
  t.match(JSON.parse((await rotate({ MOLAR_SECRET: third! }, '--new-key')).stdout), { new_key: true, org_keys: 1 })
  await withServer({ MOLAR_SECRET: third! }, async (url) => {
    t.equal((await ask(url, '/v1/me')).status, 200)
  })
})

t.test('with an org goes its key, and with that all that was ever sealed under it', async (t) => {
  const id = newId()
  await owner.query('insert into orgs (id, slug, name) values ($1, $2, $2)', [id, 'gone'])
  await owner.query(`insert into org_keys (org_id, wrapped) values ($1, '\\x01')`, [id])
  await owner.query(`insert into secrets (org_id, name, version, sealed) values ($1, 'A', 1, '\\x01')`, [id])
  await owner.query('delete from orgs where id = $1', [id])
  const { rows } = await owner.query(
    'select (select count(*) from org_keys where org_id = $1)::int + (select count(*) from secrets where org_id = $1)::int as left',
    [id],
  )
  t.equal(rows[0].left, 0)
  await owner.end()
})
