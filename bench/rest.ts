import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fastify } from 'fastify'
import { Pool } from 'undici'
import { z } from 'zod'
import { defineCommand } from '../src/core/command.ts'
import { buildApp } from '../src/server/app.ts'
import { makeLogger } from '../src/server/log.ts'
import { makeMetrics } from '../src/server/metrics.ts'
import { fixtureCommands, fixtureServices, tokens } from '../test/fixtures/commands.ts'
import { ratio, spread, tell } from './row.ts'

// A trivial command through REST against a bare Fastify JSON route with the same answer: 32 callers, taking turns in one
// run. The servers are a process of their own whose processor time is counted, because elapsed time on a machine that
// others use says little.

const command = defineCommand({
  name: 'bench.echo',
  tool: 'molar_bench',
  title: 'Echo',
  summary: 'Echo.',
  input: z.object({ text: z.string(), times: z.int().default(1) }),
  output: z.object({ text: z.string(), times: z.int() }),
  rest: 'POST /v1/echo',
  access: { scope: 'mcp:read' },
  effect: 'read',
  errors: [],
  examples: [],
  handler: async (input) => input,
})

const callers = 32
const rounds = 5
const seconds = 1

if (process.argv[2] === 'servers') await runServers()
else await compare()

async function runServers() {
  const metrics = makeMetrics()
  const services = { ...fixtureServices(), observe: metrics.observe }
  const molar = await buildApp({
    services: async () => services,
    commands: [...fixtureCommands, command],
    config: { host: '127.0.0.1', publicUrl: null, allowedHosts: [], allowedOrigins: [] },
    version: '0',
    metrics,
    log: makeLogger('silent'),
  })
  const bare = fastify()
  bare.post('/v1/echo', async ({ body }) => body)
  const listen = { port: 0, host: '127.0.0.1' }
  process.on('message', () => process.send?.(process.cpuUsage()))
  process.on('disconnect', () => process.exit())
  process.send?.([await bare.listen(listen), await molar.listen(listen)])
}

async function compare() {
  const child = fork(import.meta.filename, ['servers'])
  const [origins] = (await once(child, 'message')) as [string[]]
  const pools = origins.map((origin) => new Pool(origin, { connections: callers, pipelining: 1 }))
  const cpu = async () => {
    child.send('cpu')
    const [{ user, system }] = (await once(child, 'message')) as [NodeJS.CpuUsage]
    return user + system
  }
  const [bare, molar] = pools as [Pool, Pool]
  for (const pool of pools) await measure(pool, 1, cpu)
  const base: number[] = []
  const ours: number[] = []
  for (let round = 0; round < rounds; round++) {
    base.push(await measure(bare, seconds, cpu))
    ours.push(await measure(molar, seconds, cpu))
  }
  tell({
    what: `REST of a trivial command / bare Fastify route, ${callers} callers`,
    value: ratio(base, ours),
    detail: `${spread(ours)} against ${spread(base)} µs of processor a request`,
  })
  await Promise.all(pools.map((pool) => pool.close()))
  child.disconnect()
}

/** The server's processor time a request, in microseconds, over one round. */
async function measure(pool: Pool, duration: number, cpu: () => Promise<number>): Promise<number> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${tokens.owner}` }
  const body = JSON.stringify({ text: 'hello', times: 1 })
  const end = performance.now() + duration * 1000
  let done = 0
  const caller = async () => {
    while (performance.now() < end) {
      const response = await pool.request({ method: 'POST', path: '/v1/echo', headers, body })
      await response.body.text()
      if (response.statusCode !== 200) throw new Error(`answered ${response.statusCode}`)
      done++
    }
  }
  const before = await cpu()
  await Promise.all(Array.from({ length: callers }, caller))
  return ((await cpu()) - before) / done
}
