import type { Answer } from '../../core/call.ts'
import { fail } from '../../core/errors.ts'
import type { Cli, Verb } from '../cli.ts'
import { type Login, readLogin, writeLogin } from '../login/kept.ts'
import { awaitDevice, readMetadata, startDevice } from '../login/server.ts'
import { remoteCarrier } from '../remote.ts'
import { stopSignal } from '../stop.ts'
import { harmless } from '../terminal.ts'

/** `molar login`: from then on commands go to that server, as the person who said yes in a browser, or by a key. */
export const verb: Verb = {
  define(parser) {
    parser
      .option('--api-url <url>', 'The server; MOLAR_URL, or the one before, unless told')
      .option('--token <key>', 'A key or token instead of a browser; - reads it from standard input')
  },
  async run({ options }, cli) {
    const { url, loginFile } = cli.config()
    const apiUrl = readUrl(options.apiUrl ?? url ?? (await readLogin(loginFile))?.api_url)
    const { token } = options
    const login = typeof token === 'string' ? await byKey(apiUrl, token, cli) : await byBrowser(apiUrl, cli)
    const { user, org, role } = await whoIs(login, cli)
    await writeLogin(loginFile, login)
    const name = user ? `${user.name} (${user.email})` : 'a program'
    cli.terminal.err.line(harmless(`Logged in at ${apiUrl} as ${name}, ${role} of ${org.name}. Kept in ${loginFile}.`))
    return 0
  },
}

function readUrl(given: unknown): string {
  const url = typeof given === 'string' ? URL.parse(given) : null
  if (!url || !['http:', 'https:'].includes(url.protocol))
    return fail('bad_request', 'Which server? molar login --api-url https://molar.example.com')
  return (url.origin + url.pathname).replace(/\/+$/, '')
}

async function byKey(apiUrl: string, given: string, { terminal }: Cli): Promise<Login> {
  const token = (given === '-' ? await terminal.input() : given).trim()
  return { api_url: apiUrl, token }
}

async function byBrowser(apiUrl: string, { terminal: { err } }: Cli): Promise<Login> {
  const signal = stopSignal()
  const metadata = await readMetadata(apiUrl, signal)
  const device = await startDevice(metadata, signal)
  const { bold } = err.paint
  err.line(`Open ${bold(harmless(device.verification_uri_complete ?? device.verification_uri))}`)
  err.line(`and go on if it shows the code ${bold(harmless(device.user_code))}. This waits.`)
  return awaitDevice(metadata, device, apiUrl, signal)
}

interface Who extends Answer {
  user: { name: string; email: string } | null
  org: { name: string }
  role: string
}

/** A login that does not work is not kept. */
async function whoIs(login: Login, cli: Cli): Promise<Who> {
  const me = (await cli.commands()).find(({ name }) => name === 'identity.me')!
  const token = async () => login.token
  const server = { url: login.api_url, token, org: undefined, version: cli.version, signal: stopSignal() }
  return (await remoteCarrier(server).carry(me, {})) as Who
}
