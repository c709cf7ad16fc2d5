/**
 * From the start of a process to what its MCP server says on stdout, by turns: the answer to `initialize` of `molar mcp`
 * and of Playwright's own server, and the first tools/call of `molar mcp` while the database runs.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { attachEmbedded, silentLog, stopEmbedded } from '../src/db/index.ts'
import { median, ratio, spread, tell, timeLeft } from './row.ts'

const rounds = Number(process.argv[2] ?? 10)
const home = await mkdtemp(join(tmpdir(), 'molar-bench-stdio-'))
const molar = [fileURLToPath(new URL('../bin/molar.js', import.meta.url)), 'mcp']
/** @playwright/mcp is these lines: the server itself is in playwright-core. */
const playwright = [
  '-e',
  `const { program } = require('playwright-core/lib/utilsBundle')
   require('playwright-core/lib/coreBundle').tools.decorateMCPCommand(program.name('Playwright MCP'), '0')
   void program.parseAsync(process.argv)`,
]
const hello = {
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
}
const listRuns = { method: 'tools/call', params: { name: 'molar_list_runs', arguments: {} } }

/** Milliseconds from the start to the last of the answers. */
async function answered(args: string[], ...requests: object[]): Promise<number> {
  const started = performance.now()
  const child = spawn(process.execPath, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: import.meta.dirname,
    env: { PATH: process.env.PATH, HOME: home, MOLAR_HOME: home },
  })
  const ended = once(child, 'exit')
  for (const [at, request] of requests.entries())
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: at + 1, ...request })}\n`)
  for await (const line of createInterface({ input: child.stdout })) {
    const { id, error, result } = JSON.parse(line)
    if (error || result?.isError) throw new Error(line)
    if (id === requests.length) break
  }
  const took = performance.now() - started
  child.stdin.end()
  await ended
  return took
}

const ours: number[] = []
const theirs: number[] = []
const commands: number[] = []
const embedded = await attachEmbedded({ home, applicationName: 'bench:stdio', log: silentLog })
try {
  await answered(molar, hello, listRuns) // makes the tables and fills the compile cache
  await answered(playwright, hello)
  for (let round = 0; round < rounds && (round === 0 || timeLeft()); round++) {
    ours.push(await answered(molar, hello))
    theirs.push(await answered(playwright, hello))
    commands.push(await answered(molar, hello, listRuns))
  }
} finally {
  await embedded.leave()
  await stopEmbedded(home)
  await rm(home, { recursive: true, force: true })
}
tell({
  what: 'first answer of molar mcp / Playwright MCP',
  value: ratio(ours, theirs),
  most: 1,
  detail: `${spread(ours)} against ${spread(theirs)} ms`,
})
tell({
  what: 'first tools/call of molar mcp, database running',
  value: median(commands),
  unit: 'ms',
  most: 800,
  detail: `${spread(commands)} ms, the start of the process included`,
})
