import { fork } from 'node:child_process'
import { cpus, loadavg } from 'node:os'
import { type Row, showRow } from './row.ts'

/**
 * All that has a budget, measured one after the other: `npm run bench`, or `npm run bench -- compile mcp` for some, with
 * `--quick` in few rounds. A budget that is missed is told and is no failure; a bench that breaks, or that there was no time for, is.
 */
const budgeted = ['compile', 'tokens', 'stdio', 'mcp', 'credential', 'database', 'queue', 'readers', 'run', 'lists']
const others = ['rest', 'browser']
const longest = 4 * 60_000
const deadline = Date.now() + 15 * 60_000

const quick = process.argv.includes('--quick')
const wanted = process.argv.slice(2).filter((name) => name !== '--quick')
const unknown = wanted.filter((name) => ![...budgeted, ...others].includes(name))
if (unknown.length > 0) {
  process.stderr.write(`No bench ${unknown.join(', ')}: there are ${[...budgeted, ...others].join(', ')}.\n`)
  process.exit(64)
}

const rows: Row[] = []
const broken: string[] = []
for (const name of wanted.length > 0 ? wanted : budgeted) {
  process.stdout.write(`\n${name} (load ${loadavg()[0]!.toFixed(1)} on ${cpus().length} processors)\n`)
  const trouble = await measure(name)
  if (trouble) broken.push(`${name}: ${trouble}`)
}
process.stdout.write(`\n${rows.map(showRow).join('\n')}\n`)
for (const line of broken) process.stderr.write(`${line}\n`)
process.exitCode = broken.length > 0 ? 1 : 0

/** One bench in a process of its own; answers what went wrong. */
function measure(name: string): Promise<string | undefined> {
  const timeout = Math.min(longest, deadline - Date.now())
  if (timeout <= 0) return Promise.resolve('was not run: the time was over')
  return new Promise((resolve) => {
    const child = fork(new URL(`${name}.ts`, import.meta.url), {
      timeout,
      killSignal: 'SIGKILL',
      env: { ...process.env, ...(quick && { MOLAR_BENCH_QUICK: '1' }) },
    })
    child.on('message', (row: Row) => rows.push(row))
    child.on('close', (code, signal) => {
      if (signal) resolve(`took longer than ${Math.round(timeout / 1000)} s`)
      else resolve(code === 0 ? undefined : `ended with ${code}`)
    })
  })
}
