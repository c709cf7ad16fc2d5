import { Option } from 'commander'
import { CommandError, fail } from '../../core/errors.ts'
import { calledAs } from '../called.ts'
import { openCarrier } from '../carrier.ts'
import type { Cli, Options, Verb } from '../cli.ts'
import { printJson } from '../print/answer.ts'
import { makeProgress } from '../print/progress.ts'
import { type RunVerdict, startAndFollow } from '../run/follow.ts'
import { type Find, gather } from '../run/gather.ts'
import { makeOrders } from '../run/order.ts'
import { printRuns } from '../run/report.ts'

const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const collect = (value: string, before: string[] | undefined) => [...(before ?? []), value]

/** `molar run [slug|file|folder …]`: exit 0 when every verdict is passed, 1 when one is not. */
export const verb: Verb = {
  define(parser) {
    parser
      .argument('[what...]', 'Files, folders or slugs; the project’s scenarios when left out')
      .option('--base-url <url>', 'Where the application runs, over what scenarios and .molar.md say')
      .addOption(new Option('--tag <tag>', 'Only scenarios with one of these tags').argParser(collect))
      .addOption(new Option('--var <name=value>', 'A variable of the scenarios').argParser(collect))
      .option('--timeout <duration>', 'Cancel what is still running after this: 90s, 10m')
      .option('--ci', 'No colours and nothing that moves')
      .option('--json', 'The verdict alone, as one JSON document')
      .option('--url <url>', 'The server that runs them (MOLAR_URL)')
      .addHelpText('after', '\nSecrets come from MOLAR_SECRET_<NAME>. Exit code 0: all passed, 1: one did not.')
  },
  async run({ args, options }, cli) {
    const timeout = readDuration(options.timeout)
    const variables = readVariables(options.var)
    const url = typeof options.url === 'string' ? options.url : undefined
    const commands = await cli.commands()
    const find: Find = (name) =>
      commands.find((one) => one.name === name) ?? fail('unavailable', `This Molar has no ${name}.`)
    const carrier = await openCarrier(cli, { url, worker: true })
    const progress = makeProgress(cli.terminal.err)
    try {
      const { wanted, project } = await gather(args, list(options.tag), process.cwd(), carrier, find, cli.terminal)
      const baseUrl = typeof options.baseUrl === 'string' ? options.baseUrl : undefined
      const orders = makeOrders(wanted, { baseUrl, variables, secrets: cli.config().localSecrets, project })
      progress.tell('', `${wanted.length} ${wanted.length === 1 ? 'scenario' : 'scenarios'}`)
      const runs = await startAndFollow(orders, carrier, find, progress, timeout)
      progress.end()
      return report(runs, options, cli, carrier.where)
    } finally {
      progress.end()
      await carrier.close()
    }
  },
}

function report(runs: RunVerdict[], options: Options, cli: Cli, where: 'local' | 'remote'): number {
  const passed = runs.filter(({ status }) => status === 'passed').length
  const verdict = passed === runs.length ? 'passed' : 'failed'
  if (cli.json) printJson({ verdict, passed, failed: runs.length - passed, runs }, cli.terminal)
  else printRuns(runs, cli.terminal.out, { where, called: calledAs(cli.environment) })
  if (options.ci === true && cli.environment.GITHUB_ACTIONS === 'true' && !cli.json) annotate(runs, cli)
  return verdict === 'passed' ? 0 : 1
}

/** GitHub shows these beside the check; a line break or a colon in them would end the command. */
function annotate(runs: readonly RunVerdict[], cli: Cli): void {
  const quote = (text: string) => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
  for (const { status, slug, failure } of runs) {
    if (status !== 'passed')
      cli.terminal.out.line(`::error title=${quote(slug)} ${status}::${quote(failure?.message ?? status)}`)
  }
}

const list = (value: Options[string]): string[] => (Array.isArray(value) ? value : [])

function readVariables(value: Options[string]): Record<string, string> {
  const pairs = list(value).map((pair) => {
    const at = pair.indexOf('=')
    return at > 0
      ? [pair.slice(0, at), pair.slice(at + 1)]
      : fail('bad_request', `--var "${pair}": write it as name=value.`)
  })
  return Object.fromEntries(pairs)
}

function readDuration(value: Options[string]): number | undefined {
  if (typeof value !== 'string') return undefined
  const [, number = '', unit = 's'] = /^(\d+)(ms|s|m|h)?$/.exec(value) ?? []
  if (number === '')
    throw new CommandError('bad_request', `--timeout is "${value}": it takes a duration, such as 90s or 10m.`)
  return Number(number) * (units[unit] ?? 1000)
}
