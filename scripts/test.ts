import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { globSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Parser, type Result } from 'tap-parser'
import { stringify } from 'yaml'
import { dropDatabasesOf } from '../test/fixtures/database.ts'
import { startPooler } from '../test/fixtures/pooler.ts'

// `npm test [file …] [-- --jobs 2 --again --pooler]`: the test files, slow ones first, each as a process of its own or,
// where they only ask a server, some in one process. `--again`: up to four files that failed are judged once more, each
// by itself, and that verdict counts. `--pooler`: the application's connections go through PgBouncer.
// tap's own command puts its coverage loader before each of these processes and all that they start, which doubles what
// they cost, and compiles its plugins in the first run. So the library is tap's, and the runner these lines.

const root = fileURLToPath(new URL('..', import.meta.url))
const together = join(root, 'scripts/test-together.ts')
const uncaught = join(root, 'scripts/test-uncaught.ts')
// In this order, so that what is long is not begun last.
/** These share processes, as do those further down, and begin one each. */
const largest = ['test/examples/scenarios', 'test/faults/runs']
/** In a process of its own each: processes are their matter, or they measure. */
const alone = ['test/faults/kills', 'test/faults/latency', 'test/worker/browser', 'test/core/runs/follow']
/** These share processes, too, and so do those that are named nowhere, which follow. What waits for clocks comes early, so that no core is idle at the end. */
const early = [
  'test/cli/molar',
  'test/cli/record',
  'test/db/',
  'test/web/',
  'test/core/scenarios/runtime',
  'test/faults/',
  'test/examples/shop',
  'test/server/mcp',
  'test/server/app',
  'test/server/rates',
  'test/server/log',
  'test/server/conformance',
  'test/core/blobs/',
  'test/core/secrets/',
  'test/core/tokens/',
  'test/core/garbage/',
  'test/core/orgs/',
  'test/worker/',
  'test/auth/',
  'test/doors/',
  'test/cli/',
]
/** Alone as well, and short. */
const late = ['test/scripts/', 'test/server/start']
const patienceSeconds = 600
/** What a test makes lives as long as a request: with room for it, a twentieth of the processor time is saved. */
const roomForTheYoung = ['--min-semi-space-size=16', '--max-semi-space-size=32']

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    // Twice the processors: many files wait for clocks.
    jobs: { type: 'string', default: String(Math.min(4, 2 * availableParallelism())) },
    again: { type: 'boolean', default: false },
    pooler: { type: 'boolean', default: false },
  },
})
const files = positionals.length > 0 ? positionals : globSync('test/**/*.test.ts', { cwd: root })
const order = [...largest, ...alone, ...early, '', ...late]
const rank = (file: string) => {
  const named = order.findIndex((start) => start !== '' && file.startsWith(start))
  return named < 0 ? order.indexOf('') : named
}
const isAlone = (file: string) => [...alone, ...late].includes(order[rank(file)]!)
files.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))

const runId = randomBytes(4).toString('hex')
const began = performance.now()
const pooler = values.pooler ? await startPooler() : undefined
const ran = await runAll(files, Number(values.jobs))
const unsure = [...ran].filter(([, { problems }]) => problems.length > 0).map(([file]) => file)
if (values.again && unsure.length <= 4) {
  for (const file of unsure) for (const [, result] of await run(file)) ran.set(file, result)
}
await pooler?.stop()
await dropDatabasesOf(runId)
const sum = (count: (one: Ran) => number) => [...ran.values()].reduce((total, one) => total + count(one), 0)
const failed = sum(({ problems }) => problems.length)
console.log(`${((performance.now() - began) / 1000).toFixed(0)} s`)
console.log(`${sum(({ passed }) => passed)} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

async function runAll(files: readonly string[], jobs: number): Promise<Map<string, Ran>> {
  const results = new Map<string, Ran>()
  const waiting = [...files]
  const nextShared = () => {
    const at = waiting.findIndex((file) => !isAlone(file))
    return at < 0 ? undefined : waiting.splice(at, 1)[0]
  }
  const job = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const ran = await run(file, isAlone(file) || files.length === 1 ? undefined : nextShared)
      for (const [file, one] of ran) results.set(file, one)
    }
  }
  // What shares processes measures no time, and waits for clocks: two more at once leave no core idle.
  const more = async () => {
    while (waiting.some((file) => alone.includes(order[rank(file)]!))) await sleep(500)
    await job()
  }
  const all = [...Array.from({ length: jobs }, job), ...(jobs > 1 ? [more(), more()] : [])]
  await Promise.all(all)
  return results
}

interface Ran {
  passed: number
  /** What failed, as text for a person. */
  problems: string[]
  seconds: number
}

function tell(file: string, { problems, seconds }: Ran): void {
  console.log(`${problems.length === 0 ? '✓' : '✗'} ${file} ${seconds.toFixed(1)} s`)
  for (const problem of problems) console.log(problem.replace(/^/gm, '    '))
}

/** A file, in a process of its own with a folder for temporary files of its own; with `more`, one after another until there is none. */
async function run(first: string, more?: () => string | undefined): Promise<Map<string, Ran>> {
  const folder = await mkdtemp(join(tmpdir(), 'molar-test-'))
  await chmod(folder, 0o1777) // as /tmp is: the database and the browser have uids of their own
  const child = spawn(process.execPath, [...roomForTheYoung, '--import', uncaught, more ? together : first], {
    cwd: root,
    // Temporary homes go into the process's folder; one compile cache serves all, and Molar's own processes find it there, too.
    env: {
      ...process.env,
      TAP: '1',
      TAP_TIMEOUT: `${patienceSeconds}`, // tells what it waited for; the timer below is for what does not even tell
      TMPDIR: folder,
      MOLAR_TEST_SHARED: tmpdir(),
      MOLAR_TEST_RUN: runId,
      ...(pooler && { MOLAR_TEST_POOLER: pooler.address }),
      NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'),
    },
    stdio: ['ignore', 'pipe', 'pipe', ...(more ? (['ipc'] as const) : [])],
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), (patienceSeconds + 10) * 1000)
  // It says so when all its files are done: what keeps it then is something that one of them left open.
  let overdue: NodeJS.Timeout | undefined
  child.once('disconnect', () => (overdue = setTimeout(() => child.kill('SIGKILL'), 20_000)))
  const ran = new Map<string, Ran>()
  const begin = (file: string) => {
    timer.refresh()
    ran.set(file, { passed: 0, problems: [], seconds: 0 })
  }
  begin(first)
  let asked = false
  child.on('message', (message: { wants?: string }) => {
    if (message.wants !== 'file') return
    const file = asked ? more?.() : first
    asked = true
    if (file !== undefined) begin(file)
    child.send({ file: file ?? null }, () => undefined)
  })
  let said = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (said += text))
  const parser = new Parser()
  const count = (one: Parser, into: Ran) => {
    one.on('child', (child: Parser) => count(child, into))
    one.on('assert', (result: Result) => {
      if (result.closingTestPoint) return
      if (result.ok) into.passed++
      else if (!result.todo && !result.skip) into.problems.push(`${result.fullname}\n${stringify(result.diag)}`)
    })
  }
  const told = new Map<string, number>()
  let since = performance.now()
  const read = (file: string, from: Parser) => {
    const its = ran.get(file)!
    count(from, its)
    from.once('complete', () => {
      its.seconds = (performance.now() - since) / 1000
      since = performance.now()
      if (its.passed === 0 && its.problems.length === 0) return
      tell(file, its)
      told.set(file, its.problems.length)
    })
  }
  if (more) parser.on('child', (child: Parser) => read(child.name, child))
  else read(first, parser)
  child.stdout!.pipe(parser)
  const [[code, signal], results] = await Promise.all([
    new Promise<[number | null, string | null]>((resolve) => child.once('close', (...ended) => resolve(ended))),
    new Promise<{ ok: boolean }>((resolve) => parser.once('complete', resolve)),
  ])
  clearTimeout(timer)
  clearTimeout(overdue)
  const all = [...ran.values()]
  const ended = `It ended with ${signal ?? `exit code ${code}`}.\n${said.slice(-5000)}`
  for (const one of all) if (one.passed === 0 && one.problems.length === 0) one.problems.push(ended)
  if ((code !== 0 || !results.ok) && all.every(({ problems }) => problems.length === 0))
    all.at(-1)!.problems.push(ended)
  all.at(-1)!.problems.push(...(await leftBehind(folder)))
  for (const [file, one] of ran) if (told.get(file) !== one.problems.length) tell(file, one)
  await rm(folder, { recursive: true, force: true })
  return ran
}

/** Databases of temporary homes that still run: they are ended, and are a failure of the file. */
async function leftBehind(folder: string): Promise<string[]> {
  const found: string[] = []
  for (const path of globSync('*/**/postmaster.pid', { cwd: folder })) {
    const pid = Number((await readFile(join(folder, path), 'utf8')).split('\n')[0])
    try {
      process.kill(pid, 'SIGQUIT')
      found.push(`It left PostgreSQL running: ${path}`)
    } catch {} // ended by itself
  }
  return found
}
