import { writeFile } from 'node:fs/promises'
import { fail } from '../../core/errors.ts'
import { calledAs } from '../called.ts'
import type { Carrier } from '../carrier.ts'
import type { Cli } from '../cli.ts'
import { makeProgress } from '../print/progress.ts'
import type { Choices } from './choices.ts'
import { surround } from './environment.ts'
import { type RunVerdict, startAndFollow } from './follow.ts'
import type { Find, Gathered, Wanted } from './gather.ts'
import { makeOrders } from './order.ts'
import { printRuns } from './report.ts'
import { githubReport } from './reporters/github.ts'

export interface Round {
  choices: Choices
  carrier: Carrier
  find: Find
  cli: Cli
}

/** Runs these scenarios and reports. Answers the exit code: 0 when every verdict is passed. */
export async function runRound(wanted: readonly Wanted[], gathered: Gathered, round: Round): Promise<number> {
  const { choices, carrier, find, cli } = round
  const { baseUrl, project } = surround(gathered.project, choices)
  const progress = makeProgress(cli.terminal.err)
  try {
    const secrets = cli.config().localSecrets
    const orders = makeOrders(wanted, { baseUrl, variables: choices.variables, secrets, project })
    progress.tell('', `${wanted.length} ${wanted.length === 1 ? 'scenario' : 'scenarios'}`)
    const runs = await startAndFollow(orders, carrier, find, progress, choices.timeoutMs)
    progress.end()
    await report(runs, wanted, round)
    return runs.every(({ status }) => status === 'passed') ? 0 : 1
  } finally {
    progress.end()
  }
}

async function report(runs: RunVerdict[], wanted: readonly Wanted[], round: Round): Promise<void> {
  const { choices, carrier, cli } = round
  const { out } = cli.terminal
  const sources = wanted.flatMap(({ slug, source }): [string, string][] => (source ? [[slug, source.file]] : []))
  const results = { runs, files: new Map(sources) }
  const document = choices.reporter?.(results)
  if (document !== undefined && choices.output === undefined) return out.write(document)
  printRuns(runs, out, { where: carrier.where, called: calledAs(cli.environment) })
  if (document !== undefined && choices.output !== undefined) await write(choices.output, document)
  if (choices.ci && cli.environment.GITHUB_ACTIONS === 'true') out.write(githubReport(results))
}

async function write(path: string, document: string): Promise<void> {
  await writeFile(path, document).catch((cause: NodeJS.ErrnoException) =>
    fail('bad_request', `--output ${path} cannot be written (${cause.code}). The runs themselves have ended.`, {
      cause,
    }),
  )
}
