import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { pino } from 'pino'
import t from 'tap'
import { rateLimiter } from '../../src/server/rates.ts'
import { serve } from '../../src/server/serve.ts'
import { world } from '../fixtures/world.ts'

/** One row of the database, for limiters that share it. */
function allowance(now: () => number) {
  let due = 0
  const asked = { times: 0 }
  const lease = async ({ count, spacing }: { count: number; spacing: number }) => {
    asked.times++
    const time = now() / 1000
    const granted = Math.max(0, Math.min(count, Math.floor((time + 60 - Math.max(due, time)) / spacing + 1e-6)))
    due = Math.max(due, time) + granted * spacing
    return { granted, ahead: due - time }
  }
  return { lease, asked }
}

t.test('instances share a minute, get it back evenly, and rarely ask', async (t) => {
  let time = 1_000_000
  const now = () => time
  const { lease, asked } = allowance(now)
  const limits = { read: 600, write: 120, ingest: 30, entry: 0 }
  const instances = [0, 1].map(() => rateLimiter({ limits, lease, now }))
  const spend = async (most = 5000) => {
    let taken = 0
    for (let call = 0; call < most; call++) {
      const state = await instances[call % 2]!.take('read', { key: 'org a' })
      if (state!.retryAfterSeconds === undefined) taken++
    }
    return taken
  }
  const first = await spend()
  t.ok(first >= 570 && first <= 630, `${first} of 600`)
  t.ok(asked.times <= 60, `${asked.times} statements for ${first} calls, and none for those that were refused`)
  time += 30_000
  const half = await spend()
  t.ok(half >= 270 && half <= 330, `${half} of 300 after half a minute`)
  time += 3_600_000
  t.equal(await instances[0]!.take('entry', { key: 'x' }), undefined, '0 is no limit')
  // What was leased and not used is not spent on top of a later minute.
  await spend(20)
  time += 120_000
  const later = await spend()
  t.ok(later >= 570 && later <= 630, `${later} of 600 in a later minute`)
})

t.test('two servers on one database hold an org to its limit within 5 %, and say what is left', async (t) => {
  const limit = 300
  const here = await world(t, { environment: { MOLAR_READS_PER_MINUTE: String(limit) } })
  const second = await serve(here.config, { log: pino({ level: 'silent' }), version: '0.0.0-test' })
  t.teardown(() => second.close())
  const ask = (url: string) => fetch(`${url}/v1/me`, { headers: { authorization: `Bearer ${here.token}` } })
  const first = await ask(here.url)
  t.equal(first.headers.get('ratelimit-limit'), String(limit))
  t.ok(Number(first.headers.get('ratelimit-remaining')) >= limit * 0.95)
  t.ok(Number(first.headers.get('ratelimit-reset')) >= 0)
  await first.text()

  const began = performance.now()
  let taken = 1
  let refused = 0
  while (refused < 40) {
    const answers = await Promise.all(
      [here.url, second.url].flatMap((url) => Array.from({ length: 10 }, () => ask(url))),
    )
    for (const answer of answers) {
      if (answer.status === 200) taken++
      else refused++
      await answer.body?.cancel()
    }
  }
  const due = limit + (((performance.now() - began) / 1000) * limit) / 60
  t.ok(Math.abs(taken - due) <= limit * 0.05, `${taken} calls where ${due.toFixed(0)} were due`)
})

t.test('over the limit every door says when to ask again', async (t) => {
  const here = await world(t, { environment: { MOLAR_READS_PER_MINUTE: '2' } })
  for (let call = 0; call < 2; call++) t.equal((await here.rest('GET /v1/me')).status, 200)
  const { status, body, headers } = await here.rest('GET /v1/me')
  t.match(
    { status, body },
    { status: 429, body: { error: 'rate_limited', resource: 'reads_per_minute', limit: 2, used: 2 } },
  )
  t.ok(Number(headers.get('retry-after')) >= 1)
  t.equal(headers.get('ratelimit-remaining'), '0')
  const client = new Client({ name: 'rates', version: '1' }, { versionNegotiation: { mode: 'auto' } } as never)
  const bearer = { requestInit: { headers: { authorization: `Bearer ${here.token}` } } }
  await client.connect(new StreamableHTTPClientTransport(new URL(`${here.url}/mcp?toolsets=all`), bearer))
  t.teardown(() => client.close())
  const answer = await client.callTool({ name: 'molar_whoami', arguments: {} })
  t.equal(answer.isError, true)
  t.match(JSON.stringify(answer.content), /Ask again in \d+ s/)
  const { code, stderr } = await here.cli(['identity', 'me'])
  t.equal(code, 6)
  t.match(stderr, /2 a minute/)
})

t.test('keys are handed out by the address, and reports have an allowance of their own', async (t) => {
  const here = await world(t, {
    environment: {
      MOLAR_ENTRIES_PER_MINUTE: '3',
      MOLAR_INGESTS_PER_MINUTE: '2',
      MOLAR_TRUSTED_PROXIES: '127.0.0.1',
    },
  })
  const from = async (address: string) =>
    (await here.rest('POST /v1/api-keys', { name: 'x' }, { 'x-forwarded-for': address })).status
  const statuses: number[] = []
  for (let call = 0; call < 5; call++) statuses.push(await from('203.0.113.9'))
  t.same(statuses, [201, 201, 201, 429, 429])
  const one = ['2a00:1:2:3::1', '2a00:1:2:3:ffff::', '2a00:1:2:3:4:5:6:7', '2a00:0001:2:3::9', '2a00:1:2:3:8::1']
  const inOne: number[] = []
  for (const address of one) inOne.push(await from(address))
  t.same(inOne, [201, 201, 201, 429, 429], 'a network of 64 bits is one machine’s')
  t.equal(await from('2a00:1:2:4::1'), 201)
  t.equal(await from('::ffff:203.0.113.9'), 429, 'the IPv4 address in its other writing')
  const report = () => here.rest('POST /v1/runs/019301c0-cafe-7000-bea7-00000000dead/ingest', { events: [] })
  const answers = [await report(), await report(), await report()]
  t.match(answers.at(-1), { status: 429, body: { resource: 'ingests_per_minute', limit: 2 } })
  t.not(answers[0]!.status, 429)
  t.equal((await here.rest('GET /v1/me')).status, 200)
})
