import { calledAs } from '../called.ts'
import type { Cli, Verb } from '../cli.ts'
import type { Agent } from '../demo/agent.ts'
import { type Example, openShop, planted, readExamples } from '../demo/shop.ts'
import { quietLog } from '../log.ts'
import { makeProgress } from '../print/progress.ts'
import type { RunVerdict } from '../run/follow.ts'
import { printFailure } from '../run/report.ts'
import { stopSignal } from '../stop.ts'

type Closing = (() => Promise<void>)[]

/** `molar demo`: exit 0 exactly when the scenario that must find the planted bug finds it, and every other one passes. */
export const verb: Verb = {
  define(parser) {
    parser.addHelpText('after', '\nThe traces stay in MOLAR_HOME to be looked at.')
  },
  async run(_given, cli) {
    const closing: Closing = []
    const began = performance.now()
    try {
      const { examples, shop, agent } = await setUp(cli, closing)
      const runs = await runAll(examples, shop.url, agent, cli)
      const asExpected = show(runs, examples.length, cli)
      cli.terminal.out.line(
        cli.terminal.out.paint.dim(`All of it took ${((performance.now() - began) / 1000).toFixed(1)} s.`),
      )
      return asExpected ? 0 : 1
    } finally {
      for (const close of closing.reverse()) await close().catch(() => {})
    }
  },
}

/** The shop, the server with its worker, and an agent connected over stdio. */
async function setUp(cli: Cli, closing: Closing) {
  const { out } = cli.terminal
  const done = (text: string) => out.line(`${out.paint.green('✓')} ${text}`)
  const config = { ...cli.config(), host: '127.0.0.1', port: 0 }
  const [{ serve }, { openAgent }, examples] = await Promise.all([
    import('../../server/serve.ts'),
    import('../demo/agent.ts'),
    readExamples(),
  ])
  const shop = await openShop()
  closing.push(() => shop.close())
  done(`The sample shop is open at ${shop.url}, with a bug planted in it (${planted.bug})`)
  const server = await serve(config, { log: quietLog(config), version: cli.version })
  closing.push(() => server.close())
  done(`Database, server and worker run at ${server.url}`)
  // The server's worker is enough: the agent's process brings none of its own.
  const environment = { ...cli.environment, MOLAR_WORKERS: '0', MOLAR_URL: '' }
  const agent = await openAgent({ entry: cli.entry, environment, version: cli.version, signal: stopSignal() })
  closing.push(() => agent.close())
  done(`An agent is connected to molar mcp over stdio: ${agent.server}, ${agent.tools} tools`)
  return { examples, shop, agent }
}

async function runAll(examples: readonly Example[], baseUrl: string, agent: Agent, cli: Cli): Promise<RunVerdict[]> {
  const { out, err } = cli.terminal
  const slugs: string[] = []
  for (const { content, assets } of examples)
    slugs.push((await agent.use<{ slug: string }>('molar_upload_scenario', { content, assets })).slug)
  out.line(`${out.paint.green('✓')} ${slugs.length} scenarios are uploaded: ${slugs.join(', ')}\n`)
  const progress = makeProgress(err.live ? err : out)
  const told = new Map<string, number>()
  const tell = (line: string) => {
    const slug = line.split(':')[0] ?? ''
    told.set(slug, (told.get(slug) ?? 0) + 1)
    progress.tell(slug, line)
  }
  try {
    const first = await agent.use<{ runs: RunVerdict[] }>(
      'molar_run_scenarios',
      { scenarios: slugs, base_url: baseUrl, secrets: planted.secrets, wait: 50 },
      tell,
    )
    return await Promise.all(first.runs.map((run) => toItsEnd(run, agent, told.get(run.slug) ?? 0, tell)))
  } finally {
    progress.end()
  }
}

/** Each wait tells of the run from its beginning: what was `told` is passed over. */
async function toItsEnd(
  run: RunVerdict,
  agent: Agent,
  told: number,
  tell: (line: string) => void,
): Promise<RunVerdict> {
  for (let latest = run, known = told; ; ) {
    if (!['queued', 'running'].includes(latest.status)) return latest
    let heard = 0
    const news = (line: string) => ++heard > known && tell(line)
    const answer = await agent.use<{ runs: RunVerdict[] }>('molar_wait_run', { id: run.id, seconds: 50 }, news)
    known = Math.max(known, heard)
    latest = answer.runs[0] ?? latest
  }
}

const expected = (slug: string): string => (slug === planted.finds ? 'failed' : 'passed')

/** Each verdict beside the one that was expected, and for the failure what the evidence says. */
function show(runs: readonly RunVerdict[], wanted: number, cli: Cli): boolean {
  const { out } = cli.terminal
  const { green, red, dim } = out.paint
  out.line()
  for (const { slug, status, steps_done, step_count, duration_ms } of runs) {
    const right = status === expected(slug)
    const note = right ? (slug === planted.finds ? 'it found the planted bug' : '') : red(`expected ${expected(slug)}`)
    const facts = `${steps_done}/${step_count} steps, ${((duration_ms ?? 0) / 1000).toFixed(1)} s`
    out.line(`${right ? green('✓') : red('✗')} ${slug.padEnd(12)}${status.padEnd(9)}${dim(facts)}  ${note}`.trimEnd())
  }
  for (const run of runs) if (run.status !== 'passed') printFailure(run, out, calledAs(cli.environment))
  const right = runs.filter(({ slug, status }) => status === expected(slug)).length
  const asExpected = right === runs.length && runs.length === wanted
  out.line(`\n${(asExpected ? green : red)(`${right} of ${wanted} verdicts are as expected.`)}`)
  return asExpected
}
