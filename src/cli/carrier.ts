import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import type { Answer } from '../core/call.ts'
import type { Command, Emit } from '../core/command.ts'
import { CommandError, fail } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import type { Cli } from './cli.ts'
import { logFile, quietLog } from './log.ts'
import { readLogin } from './login/kept.ts'
import { remoteCarrier } from './remote.ts'
import { stopSignal } from './stop.ts'

export interface CarryOptions {
  emit?: Emit<unknown> | undefined
  idempotencyKey?: string | undefined
  /** Which of the caller's orgs. */
  org?: string | undefined
  /** The process's own stop signal unless told. */
  signal?: AbortSignal | undefined
}

/** Carries commands out: here, or on a server. The answers and errors are the same. */
export interface Carrier {
  where: 'local' | 'remote'
  carry(command: Command, input: Record<string, unknown>, options?: CarryOptions): Promise<Answer>
  close(): Promise<void>
}

export interface Place {
  url?: string | undefined
  key?: string | undefined
  /** Execute runs in this process too, where it does the work itself. */
  worker?: boolean
  /** Show the browser while runs are executed. */
  window?: boolean
}

/**
 * The server that `--url` or MOLAR_URL names, else the one of `molar login`, this machine's own Molar otherwise. What
 * executes runs does so here unless a server is named: what it tests is on this machine.
 */
export async function openCarrier(cli: Cli, place: Place = {}): Promise<Carrier> {
  const config = cli.config()
  const key = place.key ?? config.key
  const login = key === undefined ? await readLogin(config.loginFile) : undefined
  const named = place.url ?? config.url
  const url = named ?? (place.worker ? undefined : login?.api_url)
  if (url === undefined) return localCarrier(cli, place)
  if (place.window)
    fail(
      'bad_request',
      '--headed shows a browser of this machine, and MOLAR_URL or --url names a server. Leave one out.',
    )
  if (URL.parse(url)?.protocol.startsWith('http') !== true)
    fail('bad_request', `--url is "${url}": it takes an http or https URL.`)
  const signal = stopSignal()
  const token = async () => {
    if (!login || login.api_url !== url) return key
    const { freshToken } = await import('./login/token.ts')
    return freshToken(config.loginFile, login, signal)
  }
  return remoteCarrier({ url, token, org: config.org, version: cli.version, signal })
}

/** Opens nothing before the first command: what is wrong with a command line is told without a database. */
function localCarrier(cli: Cli, { key, worker = false, window = false }: Place): Carrier {
  const config = cli.config()
  const log = quietLog(config)
  // Whatever hangs while it closes is cut: the user has asked for the prompt.
  stopSignal().addEventListener('abort', () => setTimeout(() => process.exit(130), 12_000).unref(), { once: true })
  let opened: ReturnType<Cli['openLocal']> | undefined
  const open = () => {
    opened ??= cli
      .openLocal(config, log, { worker, window })
      .catch((error: unknown) => explain(error, 'opening', newId(), config, log))
    return opened
  }
  return {
    where: 'local',
    async carry(command, input, { emit, idempotencyKey, org = config.org, signal = stopSignal() } = {}) {
      const [{ call }, local] = await Promise.all([import('../core/call.ts'), open()])
      const credential = key === undefined ? local.credential : { kind: 'bearer' as const, token: key }
      const requestId = newId()
      const services = async () => local.services
      const context = { services, door: 'cli', requestId, credential, org, idempotencyKey, signal } as const
      const answer = call(command, input, context, emit)
      return stoppable(answer, signal).catch((error: unknown) => explain(error, command.name, requestId, config, log))
    },
    async close() {
      const local = await opened?.catch(() => undefined) // that it did not open was told
      await local?.close()
    },
  }
}

/** A command that does not heed its signal is left behind a moment after it. */
async function stoppable<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  let give = () => {}
  const stopped = new Promise<never>((_resolve, reject) => {
    const late = () => setTimeout(() => reject(new CommandError('cancelled', 'Stopped.')), 500).unref()
    give = late
    if (signal.aborted) late()
    else signal.addEventListener('abort', late, { once: true })
  })
  return Promise.race([work, stopped]).finally(() => signal.removeEventListener('abort', give))
}

/** What nobody planned goes to the log with its cause; the user hears where to look. Throws. */
function explain(error: unknown, doing: string, requestId: string, config: Config, log: Logger): never {
  if (error instanceof CommandError) throw error
  log.error({ err: error, request_id: requestId, command: doing }, 'something failed in a way nobody planned')
  const where = config.logLevel ? 'The log above says more' : `${logFile(config)} says more`
  return fail('internal', `Something went wrong on our side. ${where}; its request id is ${requestId}.`, {
    cause: error,
  })
}
