import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { pino } from 'pino'
import t from 'tap'
import { deliverUsage } from '../../../src/core/billing/index.ts'
import { exampleScenario } from '../../../src/core/scenarios/example.ts'
import { serve } from '../../../src/server/serve.ts'
import { openServices } from '../../../src/server/services.ts'
import { cliHere } from '../../fixtures/run-here.ts'
import { signedIn } from '../../fixtures/signed-in.ts'
import { world } from '../../fixtures/world.ts'

// What a plan gives and what of it is used, on two servers; usage on its way to Lago; one effect for one Idempotency-Key.

interface LagoEvent {
  transaction_id: string
  external_subscription_id: string
  code: string
  timestamp: number
  properties: Record<string, unknown>
}

/** Lago's batch endpoint as its API has it: at most 100 events, all or none, and a transaction id once. */
const lago = {
  counted: new Map<string, LagoEvent>(),
  down: 0,
  lose: 0,
  refuse: new Set<string>(),
  requests: 0,
  keys: new Set<string>(),
}
const billing = createServer(async (request, response) => {
  const { events } = JSON.parse(await text(request)) as { events: LagoEvent[] }
  lago.requests++
  lago.keys.add(`${request.method} ${request.url} ${request.headers.authorization}`)
  const answer = (status: number, body: object) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  if (lago.down > 0) {
    lago.down--
    return answer(500, { status: 500, error: 'Internal Server Error' })
  }
  const details: Record<number, Record<string, string[]>> = {}
  for (const [place, event] of events.entries()) {
    if (lago.counted.has(event.transaction_id)) details[place] = { transaction_id: ['value_already_exist'] }
    if (lago.refuse.has(String(event.properties.run_id))) details[place] = { code: ['metric_not_found'] }
  }
  if (events.length > 100) return answer(422, { status: 422, code: 'too_many_events' })
  if (Object.keys(details).length > 0)
    return answer(422, {
      status: 422,
      error: 'Unprocessable Entity',
      code: 'validation_errors',
      error_details: details,
    })
  for (const event of events) lago.counted.set(event.transaction_id, event)
  if (lago.lose > 0) {
    lago.lose--
    return request.socket.destroy() // counted, and the answer is lost
  }
  return answer(200, { events })
})
await new Promise<void>((resolve) => billing.listen(0, '127.0.0.1', resolve))
t.teardown(() => billing.close())
const url = `http://127.0.0.1:${(billing.address() as AddressInfo).port}`

const here = await world(t, { environment: { LAGO_API_URL: url, LAGO_API_KEY: 'lago-key' } })
const quiet = pino({ level: 'silent' })
const second = await serve(here.config, { log: quiet, version: '0.0.0-test' })
const services = await openServices(here.config, { log: quiet })
t.teardown(async () => {
  await second.close()
  await services.close()
})
const { person, org, sql } = await signedIn(t, here)
const owner = await person('owner')
const id = await org('metered', [[owner, 'owner']])
await owner.rest('POST /v1/scenarios', { content: exampleScenario })
const { body: key } = await owner.rest('POST /v1/api-keys', { name: 'ci' })
const on = async (server: string, route: string, body?: object, headers = {}) => {
  const [method = 'GET', path = ''] = route.split(' ')
  const answer = await fetch(server + path, {
    method,
    headers: { authorization: `Bearer ${key.api_key}`, 'content-type': 'application/json', ...headers },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: answer.status, body: await answer.json() }
}
const run = (server: string, headers = {}) =>
  on(server, 'POST /v1/runs/manual', { scenario_id: 'example-home', base_url: 'http://127.0.0.1:9' }, headers)
const settled = () => sql('update usage_events set claimed_until = null where delivered_at is null')
const deliver = () => deliverUsage(services.db.system, here.config.lago!, quiet)

t.test('runs are counted against the plan, exactly, on whichever server they start', async (t) => {
  t.match((await on(here.url, 'GET /api/v1/entitlements')).body, {
    plan: 'free',
    limits: { runs_per_day: 200 },
    used: { runs_per_day: 0 },
    resets_at: /T00:00:00\.000Z$/,
  })
  await sql(
    `insert into usage_counters (org_id, resource, day, used) values ($1, 'runs_per_day', (now() at time zone 'utc')::date, 194)`,
    [id],
  )
  const started = await Promise.all(Array.from({ length: 10 }, (_, at) => run(at % 2 ? here.url : second.url)))
  t.same(started.map(({ status }) => status).sort(), [...Array(6).fill(201), ...Array(4).fill(429)])
  t.match(started.find(({ status }) => status === 429)!.body, {
    error: 'quota_exceeded',
    resource: 'runs_per_day',
    limit: 200,
    used: 200,
    message: /00:00 UTC/,
  })
  t.match((await on(second.url, 'GET /api/v1/entitlements')).body, { used: { runs_per_day: 200 } })
  const usage = await on(here.url, 'GET /v1/billing/usage')
  t.match(usage.body, { total: { runs_per_day: 200 }, days: [{ resource: 'runs_per_day', used: 200 }] })
  t.equal((await sql('select from runs where org_id = $1', [id])).length, 6, 'what was refused left nothing')
  await sql(`update usage_counters set day = day - 1 where org_id = $1`, [id])
  t.equal((await run(here.url)).status, 201, 'the next day begins anew')
  const { body: local } = await here.rest('GET /api/v1/entitlements')
  t.match(local, { plan: 'unlimited', limits: { runs_per_day: null } })
})

t.test('usage is delivered to Lago exactly once, whatever Lago answers', async (t) => {
  await sql(
    `insert into usage_events (id, org_id, meter, quantity, properties)
     values (gen_random_uuid(), $1, 'runs', 1, '{"run_id": "bad"}'), (gen_random_uuid(), $1, 'runs', 1, '{"run_id": "good"}')`,
    [id],
  )
  lago.refuse.add('bad')
  Object.assign(lago, { down: 2, lose: 1 })
  const waiting = async () =>
    (await sql('select from usage_events where delivered_at is null and refusal is null')).length
  // Both servers deliver by themselves now and then; here it goes quicker, and at the same time.
  for (let round = 0; round < 10 && (await waiting()) > 0; round++) {
    await Promise.all([deliver(), deliver()])
    await settled()
  }
  t.equal(await waiting(), 0)
  t.same([lago.down, lago.lose], [0, 0], 'a server that was down, and an answer that was lost, were met')
  t.equal(lago.counted.size, 8)
  const events = [...lago.counted.values()]
  t.ok(events.every(({ external_subscription_id, code }) => external_subscription_id === id && code === 'runs'))
  t.equal(new Set(events.map(({ properties }) => properties.run_id)).size, 8, 'one a run')
  t.same([...lago.keys], ['POST /api/v1/events/batch Bearer lago-key'])
  const rows = await sql('select delivered_at is not null as delivered, refusal from usage_events where org_id = $1', [
    id,
  ])
  t.equal(rows.filter(({ delivered }) => delivered).length, 8)
  t.match(
    rows.find(({ refusal }) => refusal),
    { refusal: /metric_not_found/ },
    'what Lago cannot take is put aside',
  )
  const asked = lago.requests
  t.equal(await deliver(), 0)
  t.equal(lago.requests, asked, 'nothing is told twice')
})

t.test('a run that is refused or rolled back is not metered', async (t) => {
  const before = (await sql('select from usage_events')).length
  t.equal(
    (await on(here.url, 'POST /v1/runs/manual', { scenario_id: 'no-such', base_url: 'http://127.0.0.1:9' })).status,
    404,
  )
  t.equal((await sql('select from usage_events')).length, before)
})

t.test('one Idempotency-Key has one effect on two servers, by every door', async (t) => {
  const count = async () => (await sql('select from runs where org_id = $1', [id])).length
  const before = await count()
  const once = { 'idempotency-key': 'once' }
  const both = await Promise.all([run(here.url, once), run(second.url, once)])
  const [first] = both.filter(({ status }) => status === 201)
  t.ok(first)
  for (const { status, body } of both) {
    if (status === 201) t.same(body, first!.body)
    else t.match({ status, body }, { status: 409, body: { error: 'idempotency_in_flight' } })
  }
  t.same((await run(second.url, once)).body, first!.body, 'the stored answer, on the other server')
  t.same((await run(here.url, once)).body, first!.body)
  const other = await on(
    second.url,
    'POST /v1/runs/manual',
    { scenario_id: 'example-home', base_url: 'http://127.0.0.1:8' },
    once,
  )
  t.match(other, { status: 422, body: { error: 'idempotency_key_reused' } })
  // In flight on one server, as the other sees it.
  await sql(
    `update idempotency_keys set answer = null, claimed_until = now() + interval '1 minute' where org_id = $1`,
    [id],
  )
  t.match(await run(second.url, once), { status: 409, body: { error: 'idempotency_in_flight' } })
  t.equal(await count(), before + 1)

  const input = { scenario_id: 'example-home', base_url: 'http://127.0.0.1:9' }
  const client = new Client({ name: 'idempotent', version: '1' }, { versionNegotiation: { mode: 'auto' } } as never)
  const bearer = { requestInit: { headers: { authorization: `Bearer ${key.api_key}` } } }
  await client.connect(new StreamableHTTPClientTransport(new URL(`${second.url}/mcp?toolsets=all`), bearer))
  t.teardown(() => client.close())
  const meta = { 'molar/idempotency-key': 'by all doors' }
  const byTool = await client.callTool({ name: 'molar_start_run', arguments: input, _meta: meta } as never)
  const made = (byTool as { structuredContent?: { id?: string } }).structuredContent
  const byFlag = await cliHere(
    here,
    ['runs', 'start', '--json', '--input', JSON.stringify(input), '--idempotency-key', 'by all doors'],
    { MOLAR_API_KEY: key.api_key },
  )
  t.same(JSON.parse(byFlag.stdout), made, byFlag.stderr)
  t.same((await run(here.url, { 'idempotency-key': 'by all doors' })).body, made)
  t.equal(await count(), before + 2)

  // An answer with a plaintext secret is kept for who has the key alone, on each server.
  const secret = { 'idempotency-key': 'a key of mine' }
  const [one, two] = [
    await owner.rest('POST /v1/api-keys', { name: 'again' }, secret),
    await fetch(`${second.url}/v1/api-keys`, {
      method: 'POST',
      headers: { cookie: owner.cookie, origin: second.url, 'content-type': 'application/json', ...secret },
      body: JSON.stringify({ name: 'again' }),
    }).then((answer) => answer.json()),
  ]
  t.equal(one.body.api_key, two.api_key)
  const [{ clear }] = await sql(
    `select bool_or(position($1::bytea in answer) > 0) as clear from idempotency_keys where answer is not null`,
    [Buffer.from(one.body.api_key)],
  )
  t.equal(clear, false)
})
