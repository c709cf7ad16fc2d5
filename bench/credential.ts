import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pool } from 'undici'
import { z } from 'zod'
import { localOwnerKey } from '../src/auth/local.ts'
import { readConfig } from '../src/config.ts'
import { defineCommand } from '../src/core/command.ts'
import { fail } from '../src/core/errors.ts'
import { slug } from '../src/core/fields.ts'
import { buildApp } from '../src/server/app.ts'
import { makeLogger } from '../src/server/log.ts'
import { mcpPlugin } from '../src/server/mcp/index.ts'
import { openServices } from '../src/server/services.ts'
import { createTestDatabase } from '../test/fixtures/database.ts'
import { quick, ratio, spread, tell } from './row.ts'

// What it costs to resolve the credential on every call: a command that reads one row, against the same one with the
// principal given, over REST and over MCP. Both stand in one process on one database, and take turns in one run.

const command = defineCommand({
  name: 'bench.read',
  tool: 'bench_read',
  title: 'Read',
  summary: 'Reads one row.',
  input: z.object({ slug }),
  output: z.object({ id: z.string(), slug: z.string(), name: z.string() }),
  rest: 'GET /v1/bench/{slug}',
  access: { scope: 'mcp:read' },
  effect: 'read',
  errors: ['not_found'],
  examples: [],
  async handler({ slug }, { db }) {
    const [row] = await db.query<{ id: string; slug: string; name: string }>(
      'select id, slug, name from orgs where slug = $1',
      [slug],
    )
    return row ?? fail('not_found', `There is no org ${slug}.`)
  },
})

const callers = 32
const rounds = quick ? 3 : 7
const seconds = 1

if (process.argv[2] === 'servers') await runServers()
else await compare()

async function runServers() {
  const database = await createTestDatabase()
  const home = await mkdtemp(join(tmpdir(), 'molar-bench-'))
  const log = makeLogger('silent')
  const config = readConfig({
    MOLAR_HOME: home,
    DATABASE_URL: database.url,
    MOLAR_MIGRATION_URL: database.ownerUrl,
    MOLAR_READS_PER_MINUTE: '0',
  })
  const services = await openServices(config, { log })
  const key = await localOwnerKey(home, services.db, services.keyring)
  const principal = await services.authenticate({ kind: 'bearer', token: key }, {})
  const given = { ...services, authenticate: async () => principal }
  const origins: string[] = []
  for (const one of [given, services]) {
    const app = await buildApp({
      services: async () => one,
      commands: [command],
      config: { host: '127.0.0.1', publicUrl: null, allowedHosts: [], allowedOrigins: [] },
      version: '0',
      log,
      plugins: [mcpPlugin({ commands: [command], services: async () => one, version: '0', log })],
    })
    origins.push(await app.listen({ port: 0, host: '127.0.0.1' }))
  }
  process.on('message', () => process.send?.(process.cpuUsage()))
  process.on('disconnect', async () => {
    await services.close()
    await database.drop()
    await rm(home, { recursive: true })
    process.exit()
  })
  process.send?.({ origins, key: (await readFile(join(home, 'key'), 'utf8')).trim() })
}

async function compare() {
  const child = fork(import.meta.filename, ['servers'])
  const [{ origins, key }] = (await once(child, 'message')) as [{ origins: string[]; key: string }]
  const pools = origins.map((origin) => new Pool(origin, { connections: callers, pipelining: 1 }))
  const [given, resolved] = pools as [Pool, Pool]
  const cpu = async () => {
    child.send('cpu')
    const [{ user, system }] = (await once(child, 'message')) as [NodeJS.CpuUsage]
    return user + system
  }
  for (const [door, ask] of Object.entries({ REST: rest(key), MCP: mcp(key) })) {
    for (const pool of pools) await measure(pool, ask, 0.5, cpu)
    const [ours, base]: [number[], number[]] = [[], []]
    for (let round = 0; round < rounds; round++) {
      base.push((await measure(given, ask, seconds, cpu)).rate)
      ours.push((await measure(resolved, ask, seconds, cpu)).rate)
    }
    tell({
      what: `${door}: one-row read / the same with the principal given`,
      value: ratio(ours, base),
      least: 0.8,
      detail: `${spread(ours)} against ${spread(base)} requests/s, ${callers} callers`,
    })
  }
  await Promise.all(pools.map((pool) => pool.close()))
  child.disconnect()
}

type Ask = Parameters<Pool['request']>[0]

function rest(key: string): Ask {
  return {
    method: 'GET',
    path: '/v1/bench/local',
    headers: { authorization: `Bearer ${key}` },
  }
}

function mcp(key: string): Ask {
  return {
    method: 'POST',
    path: '/mcp',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'bench_read',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name: 'bench_read',
        arguments: { slug: 'local' },
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '0' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    }),
  }
}

/** Requests a second, and the server's processor time a request in microseconds. */
async function measure(pool: Pool, ask: Ask, duration: number, cpu: () => Promise<number>) {
  const started = performance.now()
  const end = started + duration * 1000
  let done = 0
  const caller = async () => {
    while (performance.now() < end) {
      const response = await pool.request(ask)
      const text = await response.body.text()
      if (response.statusCode !== 200 || text.includes('"isError":true'))
        throw new Error(`${response.statusCode} ${text}`)
      done++
    }
  }
  const before = await cpu()
  await Promise.all(Array.from({ length: callers }, caller))
  return { rate: (done / (performance.now() - started)) * 1000, cost: ((await cpu()) - before) / done }
}
