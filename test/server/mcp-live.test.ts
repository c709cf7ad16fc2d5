import type { Client } from '@modelcontextprotocol/client'
import { pino } from 'pino'
import t from 'tap'
import { startShop } from '../../examples/shop/shop.ts'
import { localSecret } from '../../src/auth/local.ts'
import { ensureOrg } from '../../src/auth/store.ts'
import { newId } from '../../src/core/ids.ts'
import { makeKeyring } from '../../src/core/keyring.ts'
import { insertKey, newToken, tokenPrefix } from '../../src/core/keys/index.ts'
import { scopeNames } from '../../src/core/principal.ts'
import { openDatabase, silentLog } from '../../src/db/index.ts'
import { serve } from '../../src/server/serve.ts'
import { connect, until } from '../fixtures/mcp.ts'
import { type World, world } from '../fixtures/world.ts'

const updated = 'notifications/resources/updated'
const scenario = `---
spec_version: '1.0'
id: 01a20032-35db-77c1-87d7-2a714c720961
slug: live
description: Six steps, some of which take a while.
---

## Steps

1. Navigate to /
2. Assert url is "/"
3. Wait 300ms
4. Navigate to /cart
5. Wait 300ms
6. Assert url is "/cart"
`

/** A key of another org in the same database. */
async function strangerKey(here: World): Promise<string> {
  const database = openDatabase({ url: here.config.databaseUrl!, applicationName: 'test:stranger', log: silentLog })
  const token = newToken()
  const org = { id: newId(), slug: 'elsewhere', name: 'Elsewhere' }
  await database.system.tx(async (tx) => {
    const { org_id, user_id } = await ensureOrg(tx, org, { id: newId(), email: 'x@elsewhere.test', name: 'x' })
    await insertKey(tx, {
      id: newId(),
      kind: 'api_key',
      orgId: org_id,
      name: 'stranger',
      prefix: tokenPrefix(token),
      fingerprint: makeKeyring(await localSecret(here.home)).fingerprint(token),
      scopes: scopeNames,
      role: 'owner',
      userId: user_id,
      expiresAt: null,
    })
  })
  await database.close()
  return token
}

t.test('a subscription on one server tells every change of a run that another server executes', async (t) => {
  const here = await world(t)
  const shop = await startShop({})
  t.teardown(() => shop.close())
  const clients = {
    modern: await connect(t, `${here.url}/mcp`, 'modern', here.token),
    legacy: await connect(t, `${here.url}/mcp`, 'legacy', here.token),
  }
  const { body } = await here.rest('POST /v1/runs/batch', {
    files: [{ content: scenario }],
    base_url: shop.url,
    wait: 0,
  })
  const { id } = body.runs[0]
  const uri = `molar://runs/${id}`
  const read = async (client: Client) =>
    JSON.parse(((await client.readResource({ uri })).contents[0] as { text: string }).text)
  t.equal((await read(clients.modern)).status, 'queued')

  const heard = { modern: [] as number[], legacy: [] as number[] }
  const seen = new Set<number>()
  clients.legacy.setNotificationHandler(updated, () => void heard.legacy.push(Date.now()))
  clients.modern.setNotificationHandler(updated, async () => {
    heard.modern.push(Date.now())
    seen.add((await read(clients.modern)).steps_done)
  })
  const stream = await clients.modern.listen({ resourceSubscriptions: [uri] })
  t.same(stream.honoredFilter.resourceSubscriptions, [uri])
  await clients.legacy.subscribeResource({ uri })

  const stranger = await strangerKey(here)
  const other = await connect(t, `${here.url}/mcp`, 'modern', stranger)
  await t.rejects(other.listen({ resourceSubscriptions: [uri] }), { message: /There is no run/ })
  const otherLegacy = await connect(t, `${here.url}/mcp`, 'legacy', stranger)
  await t.rejects(otherLegacy.subscribeResource({ uri }), { message: /There is no run/ })

  const second = await serve({ ...here.config, workers: 1 }, { log: pino({ level: 'silent' }), version: '0' })
  t.teardown(() => second.close())
  const done = await here.rest(`GET /v1/runs/${id}/wait`)
  t.equal(done.body.verdict, 'passed', JSON.stringify(done.body))
  const changes = 1 + 6 + 1
  await until(() => heard.modern.length >= changes && heard.legacy.length >= changes)
  t.equal(heard.modern.length, changes, 'running, six steps, the end')
  t.equal(heard.legacy.length, changes, 'the same in the 2025 era')
  t.match(await read(clients.legacy), { status: 'passed', steps_done: 6 })
  t.ok(
    [...seen].some((steps) => steps > 0 && steps < 6),
    `steps are there to read while it runs: ${[...seen]}`,
  )

  const { structuredContent } = await clients.modern.callTool({
    name: 'molar_trace_events',
    arguments: { id: done.body.runs[0].trace_id, limit: 500 },
  })
  const times = (structuredContent as { events: { ts: number; kind: string }[] }).events
    .filter(({ kind }) => ['run.start', 'step.end', 'run.end'].includes(kind))
    .map(({ ts }) => ts)
  const late = heard.modern.map((at, place) => at - times[place]!).sort((a, b) => a - b)
  t.ok(late.at(-1)! < 1000, `told ${late.join(', ')} ms after they happened`)
  t.comment(`told after ${late.join(', ')} ms`)

  const complete = async (template: string, value: string) =>
    (
      await clients.modern.complete({
        ref: { type: 'ref/resource', uri: template },
        argument: { name: 'id', value },
      })
    ).completion.values
  t.same(await complete('molar://runs/{id}', id.slice(0, 8)), [id])
  t.same(await complete('molar://traces/{id}/report', ''), [done.body.runs[0].trace_id])
  t.same(await complete('molar://scenarios/{id}', 'LI'), ['live'])
  const runs = await clients.modern.complete({
    ref: { type: 'ref/prompt', name: 'debug_run' },
    argument: { name: 'run_id', value: '' },
  })
  t.same(runs.completion.values, [], 'no run has failed')
  t.same(
    (
      await other.complete({
        ref: { type: 'ref/resource', uri: 'molar://runs/{id}' },
        argument: { name: 'id', value: '' },
      })
    ).completion.values,
    [],
    'nothing of another org is suggested',
  )
  await stream.close()
})
