import { Option } from 'commander'
import { fail } from '../../core/errors.ts'
import { warningsOf } from '../../core/scenarios/index.ts'
import { formatProblem } from '../../core/scenarios/language/problem.ts'
import { openCarrier } from '../carrier.ts'
import type { Cli, Verb } from '../cli.ts'
import { needDisplay } from '../display.ts'
import { type Choices, readChoices } from '../run/choices.ts'
import { surround } from '../run/environment.ts'
import { type Find, gather } from '../run/gather.ts'
import { reporterNames } from '../run/reporters/index.ts'
import { type Round, runRound } from '../run/round.ts'
import { select } from '../run/select.ts'
import { watchRounds } from '../run/watch.ts'
import { type RunningWebServer, startWebServer } from '../run/web-server.ts'
import { stopSignal } from '../stop.ts'

const collect = (value: string, before: string[] | undefined) => [...(before ?? []), value]

/** `molar run [slug|file|folder …]`: exit 0 when every verdict is passed, 1 when one is not. */
export const verb: Verb = {
  define(parser) {
    parser
      .argument('[what...]', 'Files, folders or slugs; the project’s scenarios when left out')
      .option('--base-url <url>', 'Where the application runs, over what scenarios and .molar.md say')
      .option('--env <name>', 'One of the environments of .molar.md: its base URL and variables')
      .addOption(new Option('--tag <tag>', 'Only scenarios with one of these tags').argParser(collect))
      .option('--grep <pattern>', 'Only scenarios whose slug or title matches')
      .option('--shard <part/of>', 'Only this part of them, such as 2/3')
      .addOption(new Option('--var <name=value>', 'A variable of the scenarios').argParser(collect))
      .option('--headed', 'Show the browser, one run at a time')
      .option('--watch', 'Run again what changes, until Ctrl-C')
      .option('--reporter <name>', `How results are told: ${reporterNames.join(', ')}`)
      .option('--output <file>', 'Where the reporter’s document goes; standard output unless told')
      .option('--timeout <duration>', 'Cancel what is still running after this: 90s, 10m')
      .option('--ci', 'No colours and nothing that moves')
      .option('--json', 'The verdict alone, as one JSON document; --reporter json')
      .option('--url <url>', 'The server that runs them (MOLAR_URL)')
      .addHelpText(
        'after',
        '\nweb_server in .molar.md is started before and stopped after. Secrets come from MOLAR_SECRET_<NAME>.\nExit code 0: all passed, 1: one did not.',
      )
  },
  async run({ args, options }, cli) {
    const choices = readChoices(options)
    if (choices.headed) needDisplay('--headed', cli.config())
    const commands = await cli.commands()
    const find: Find = (name) =>
      commands.find((one) => one.name === name) ?? fail('unavailable', `This Molar has no ${name}.`)
    const carrier = await openCarrier(cli, { url: choices.url, worker: true, window: choices.headed })
    try {
      return await runAll(args, { choices, carrier, find, cli })
    } finally {
      await carrier.close()
    }
  },
}

async function runAll(args: readonly string[], round: Round): Promise<number> {
  const { choices, carrier, find, cli } = round
  const gathered = await gather(args, choices.tags, process.cwd(), carrier, find, cli.terminal)
  const { err, out } = cli.terminal
  for (const { code, message, range } of gathered.project?.warnings ?? [])
    err.line(err.paint.yellow(`.molar.md:${range.start.line} ${code} ${message}`))
  const wanted = select(gathered.wanted, choices.grep, choices.shard)
  if (wanted.length === 0) {
    err.line(`This shard has none of ${gathered.wanted.length} scenarios: there are fewer than shards.`)
    if (choices.reporter && choices.output === undefined) out.write(choices.reporter({ runs: [], files: new Map() }))
    return 0
  }
  for (const { plan, source } of wanted)
    for (const warning of warningsOf(plan))
      err.line(err.paint.yellow(formatProblem(source?.file ?? plan.scenario.slug, warning)))
  const server = await serve(gathered, choices, cli)
  try {
    const code = await runRound(wanted, gathered, round)
    if (code !== 0 && server && !server.reused && server.output() !== '')
      err.line(err.paint.dim(`web_server said last:\n${server.output()}`))
    return choices.watch ? await watchRounds(args, gathered, round, code) : code
  } finally {
    await server?.stop()
  }
}

async function serve(
  { project, folder }: Awaited<ReturnType<typeof gather>>,
  choices: Choices,
  cli: Cli,
): Promise<RunningWebServer | undefined> {
  const { webServer } = surround(project, choices)
  if (!webServer) return undefined
  const { err } = cli.terminal
  err.line(err.paint.dim(`web_server: ${webServer.command}`))
  const ci = choices.ci || cli.config().ci
  return startWebServer(webServer, { folder, environment: cli.environment, ci, signal: stopSignal() })
}
