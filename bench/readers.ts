/**
 * 2,000 live readers of one run over server-sent events, from a process of their own: how late each event is and what is
 * lost. The run makes its events as a ten-step run does: 60 of them, in batches of 6 every 100 ms.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { readConfig } from '../src/config.ts'
import { newId } from '../src/core/ids.ts'
import { leaseStore, type RunEvent } from '../src/core/runs/index.ts'
import { exampleScenario } from '../src/core/scenarios/example.ts'
import { openDatabase, silentLog } from '../src/db/index.ts'
import { serve } from '../src/server/serve.ts'
import { createTestDatabase, testCluster } from '../test/fixtures/database.ts'
import { quantile, tell, timeLeft } from './row.ts'

const batches = 10
const batchSize = 6
const [rounds = 5, readers = 2000] = process.argv.slice(2).map(Number)

const test = await createTestDatabase()
const home = await mkdtemp(join(tmpdir(), 'molar-bench-readers-'))
const config = readConfig({
  MOLAR_HOME: home,
  DATABASE_URL: test.url,
  MOLAR_MIGRATION_URL: test.ownerUrl,
  MOLAR_PORT: '0',
  MOLAR_WORKERS: '0',
  MOLAR_READS_PER_MINUTE: '0',
  MOLAR_WRITES_PER_MINUTE: '0',
})
const server = await serve(config, { log: pino({ level: 'silent' }), version: '0' })
const token = await readFile(join(home, 'key'), 'utf8')
const database = openDatabase({ url: test.url, applicationName: 'bench:readers', log: silentLog })
const clients = fork(new URL('./readers/clients.ts', import.meta.url), { stdio: 'inherit' })
clients.once('exit', (code) => code && process.exit(code)) // it has said why

async function rest(route: string, body?: object) {
  const [method = 'GET', path = '/'] = route.split(' ')
  const response = await fetch(server.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
  return response.json()
}

/** A run with an open stream a reader; answers each delivery's delay, and what the process of the server spent on it. */
async function round(orgId: string): Promise<{ delays: number[]; lost: number; processor: number }> {
  const db = database.tenant(orgId)
  const { id } = await rest('POST /v1/runs/manual', { scenario_id: 'example-home' })
  const run = { id, orgId, lease: newId() }
  await db.tx((tx) => leaseStore.claimRun(tx, run.id, run.lease))
  let seq = 0
  const write = (events: { kind: RunEvent['kind'] }[]) =>
    db.tx((tx) =>
      leaseStore.insertEvents(
        tx,
        run,
        events.map(({ kind }) => ({ seq: ++seq, ts: Date.now(), kind, step_id: null, attempt: 1 }) as RunEvent),
      ),
    )
  clients.send({ url: `${server.url}/v1/runs/${id}/logs`, token, readers })
  await once(clients, 'message') // all are connected
  await sleep(500)
  const before = process.cpuUsage()
  for (let batch = 0; batch < batches; batch++) {
    await write(Array.from({ length: batchSize }, () => ({ kind: 'log' })))
    await sleep(100)
  }
  await write([{ kind: 'run.end' }])
  const [delays] = (await once(clients, 'message')) as [number[]]
  const { user, system } = process.cpuUsage(before)
  return { delays, lost: readers * seq - delays.length, processor: (user + system) / 1000 }
}

try {
  await rest('POST /v1/scenarios', { content: exampleScenario })
  const orgId = (await rest('GET /v1/me')).org.id
  await round(orgId) // warms up
  const found: Awaited<ReturnType<typeof round>>[] = []
  for (let at = 0; at < rounds && (at === 0 || timeLeft()); at++) found.push(await round(orgId))
  const p99s = found.map(({ delays }) => quantile(delays, 0.99))
  const delays = found.flatMap(({ delays }) => delays)
  const each = found.map(({ processor }, at) => (processor * 1000) / found[at]!.delays.length)
  tell({
    what: `events to ${readers} live readers, p99`,
    value: quantile(p99s, 0.5),
    unit: 'ms',
    most: 250,
    detail: `p50 ${quantile(delays, 0.5)} ms; p99 a round ${p99s.join(', ')}; ${quantile(each, 0.5).toFixed(1)} µs of processor a delivery`,
  })
  tell({
    what: `events to ${readers} live readers, lost`,
    value: found.reduce((sum, { lost }) => sum + lost, 0),
    most: 0,
  })
} finally {
  clients.disconnect()
  await server.close()
  await database.close()
  await test.drop()
  await (await testCluster()).leave()
  await rm(home, { recursive: true, force: true })
}
