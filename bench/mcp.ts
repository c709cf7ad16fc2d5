import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Pool } from 'undici'
import { tokens } from '../test/fixtures/commands.ts'
import { quick, ratio, spread, tell } from './row.ts'

/**
 * tools/call of a trivial command against a bare Fastify JSON route and the 1.x SDK on Express: 32 callers, all tools
 * registered, rounds interleaved in one run. Budgets: at least 0.35 of the bare route and 4 times the 1.x SDK.
 */
const callers = 32
const rounds = quick ? 3 : 15
const roundMilliseconds = 400

const child = fork(new URL('./mcp/server.ts', import.meta.url), { stdio: 'inherit' })
const [{ base, first }] = (await once(child, 'message')) as [{ base: string; first: string }]

const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': { roots: { listChanged: true }, elicitation: { form: {} } },
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
}
const call = (params: object) => JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })
const common = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' }
const modern = {
  ...common,
  authorization: `Bearer ${tokens.owner}`,
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'tools/call',
  'mcp-name': 'bench_30',
}
const plain = { name: 'bench_30', arguments: { id: 'run-1' } }
/** An encoded name sends the call through the SDK's own objects. */
const encoded = { ...modern, 'mcp-name': `=?base64?${Buffer.from('bench_30').toString('base64')}?=` }

interface Contender {
  pool: Pool
  path: string
  headers: Record<string, string>
  body: string
  /** Calls a second, a number a round. */
  seen: number[]
  /** Microseconds of the server's processor time a call, a number a round. */
  cost: number[]
}

const contender = (origin: string, path: string, headers: Record<string, string>, body: string): Contender => ({
  pool: new Pool(origin, { connections: callers, pipelining: 1 }),
  path,
  headers,
  body,
  seen: [],
  cost: [],
})

const contenders = {
  bare: contender(base, '/bare', modern, call({ ...plain, _meta: meta })),
  molar: contender(base, '/mcp', modern, call({ ...plain, _meta: meta })),
  molar_sdk_path: contender(base, '/mcp', encoded, call({ ...plain, _meta: meta })),
  sdk_1x_express: contender(first, '/mcp', { ...common, 'mcp-protocol-version': '2025-11-25' }, call(plain)),
}

async function processorTime(): Promise<number> {
  child.send('cpu')
  const [{ cpu }] = (await once(child, 'message')) as [{ cpu: NodeJS.CpuUsage }]
  return cpu.user + cpu.system
}

/** One round, noted in the contender. */
async function measure({ pool, path, headers, body, seen, cost }: Contender, milliseconds: number): Promise<void> {
  const before = await processorTime()
  let done = 0
  const started = performance.now()
  const caller = async () => {
    while (performance.now() - started < milliseconds) {
      const response = await pool.request({ method: 'POST', path, headers, body })
      const text = await response.body.text()
      if (response.statusCode !== 200 || !text.includes('passed'))
        throw new Error(`${path}: ${response.statusCode} ${text}`)
      done++
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  seen.push((done / (performance.now() - started)) * 1000)
  cost.push(((await processorTime()) - before) / done)
}

for (const one of Object.values(contenders)) {
  await measure(one, 1000)
  one.seen.length = one.cost.length = 0 // the first round warms up
}
for (let round = 0; round < rounds; round++) {
  for (const one of Object.values(contenders)) await measure(one, roundMilliseconds)
}

function compare(what: string, one: Contender, other: Contender, least?: number): void {
  tell({
    what,
    value: ratio(one.seen, other.seen),
    ...(least !== undefined && { least }),
    detail: `${spread(one.seen)} against ${spread(other.seen)} calls a second; ${ratio(other.cost, one.cost).toFixed(2)} by processor time`,
  })
}
compare('tools/call / bare Fastify route', contenders.molar, contenders.bare, 0.35)
compare('tools/call through the SDK’s objects / bare Fastify route', contenders.molar_sdk_path, contenders.bare)
compare('tools/call / 1.x SDK on Express', contenders.molar, contenders.sdk_1x_express, 4)
child.disconnect()
await Promise.all(Object.values(contenders).map(({ pool }) => pool.close()))
