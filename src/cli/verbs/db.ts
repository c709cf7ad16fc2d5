import { fail } from '../../core/errors.ts'
import { embeddedStatus, resetEmbedded, stopEmbedded } from '../../db/embedded.ts'
import type { Cli, Verb } from '../cli.ts'
import { quietLog } from '../log.ts'
import { printJson } from '../print/answer.ts'
import { printRecord } from '../print/record.ts'

/** `molar db status|stop|reset`: the embedded database of MOLAR_HOME. `molar db gc`: what no trace needs any more, wherever it is. */
export const verb: Verb = {
  define(parser) {
    parser
      .argument('<what>', 'status, stop, reset or gc')
      .option('--yes', 'reset without being asked: it deletes scenarios, runs and keys')
      .option('--json', 'The answer alone, as one JSON document')
  },
  async run({ args: [what = ''], options }, cli) {
    const actions: Record<string, () => Promise<number>> = {
      status: () => status(cli),
      stop: () => stop(cli),
      reset: () => reset(options.yes === true, cli),
      gc: () => collect(cli),
    }
    const action =
      actions[what] ?? fail('bad_request', `molar db has no "${what}": it takes status, stop, reset or gc.`)
    const config = cli.config()
    if (config.databaseUrl !== undefined && what !== 'gc')
      fail('bad_request', 'DATABASE_URL names a database of its own; molar db is about the embedded one. Unset it.')
    return action()
  },
}

async function status(cli: Cli): Promise<number> {
  const { home } = cli.config()
  const { dataDirectory, ...facts } = { dataDirectory: undefined, ...(await embeddedStatus(home)) }
  const answer = { home, ...facts, ...(dataDirectory === undefined ? {} : { data_directory: dataDirectory }) }
  if (cli.json) printJson(answer, cli.terminal)
  else printRecord(answer, cli.terminal.out)
  return 0
}

/** By MOLAR_RETENTION_DAYS and MOLAR_QUOTA_BYTES; without them only what nothing names is deleted. */
async function collect(cli: Cli): Promise<number> {
  const config = cli.config()
  const [{ openServices }, { collectGarbage }] = await Promise.all([
    import('../../server/services.ts'),
    import('../../core/garbage/index.ts'),
  ])
  const services = await openServices(config, { log: quietLog(config) })
  try {
    const collected = await collectGarbage(services.db, services.blobs, config)
    if (cli.json) printJson(collected, cli.terminal)
    else printRecord({ ...collected, over_quota: collected.over_quota.join(', ') || 'none' }, cli.terminal.out)
    return 0
  } finally {
    await services.close()
  }
}

async function stop(cli: Cli): Promise<number> {
  const stopped = await stopEmbedded(cli.config().home)
  if (cli.json) printJson({ stopped }, cli.terminal)
  else
    cli.terminal.out.line(
      stopped
        ? 'The database is stopped. The next command that needs it starts it again.'
        : 'The database was not running.',
    )
  return 0
}

async function reset(sure: boolean, cli: Cli): Promise<number> {
  const { home } = cli.config()
  if (
    !sure &&
    !(await confirm(`This deletes every scenario, run and key in ${home}. Type reset to go on: `, 'reset', cli))
  ) {
    fail('bad_request', 'Nothing was deleted. molar db reset --yes does not ask.')
  }
  await resetEmbedded(home)
  if (cli.json) printJson({ reset: true }, cli.terminal)
  else cli.terminal.out.line('The database is deleted. The next command that needs one makes it anew.')
  return 0
}

async function confirm(question: string, word: string, cli: Cli): Promise<boolean> {
  if (!process.stdin.isTTY || !cli.terminal.err.live) return false
  const { createInterface } = await import('node:readline/promises')
  const reader = createInterface({ input: process.stdin, output: process.stderr })
  const said = await reader.question(question).finally(() => reader.close())
  return said.trim() === word
}
