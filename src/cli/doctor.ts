import { constants } from 'node:fs'
import { access, mkdir, stat, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'

/** One check. `mend`: the command or setting that helps. */
export interface Finding {
  name: string
  ok: boolean
  /** Nothing runs without it; the rest is good to know. */
  needed: boolean
  message: string
  mend?: string
}

type Check = (config: Config, log: Logger) => Promise<Omit<Finding, 'name' | 'needed'> & { needed?: boolean }>

const wantedNode = 24
/** The database's executables and a browser take about 400 MB. */
const wantedDisk = 600e6
const patienceMs = 30_000

/** Every check, one after the other, told by name as it begins. One that fails in an unforeseen way is a finding too. */
export async function findings(config: Config, log: Logger, tell: (text: string) => void): Promise<Finding[]> {
  const found: Finding[] = []
  // With a server elsewhere, this machine needs neither a database nor a browser.
  const here = config.url === undefined
  for (const [name, check] of Object.entries(checks)) {
    tell(`${name} …`)
    const result = await Promise.race([check(config, log), late()]).catch((error: Error) => ({
      ok: false,
      message: error.message,
    }))
    found.push({ name, needed: name === 'server' ? !here : here || name === 'node', ...result })
  }
  return found
}

async function late(): Promise<{ ok: false; message: string }> {
  await new Promise((resolve) => setTimeout(resolve, patienceMs).unref())
  return { ok: false, message: `no answer within ${patienceMs / 1000} s` }
}

const checks: Record<string, Check> = {
  async node() {
    const ok = Number(process.versions.node.split('.')[0]) >= wantedNode
    return {
      ok,
      message: `${process.version} at ${process.execPath}`,
      ...(ok ? {} : { mend: `Install Node ${wantedNode}: https://nodejs.org` }),
    }
  },

  async home({ home }) {
    await mkdir(home, { recursive: true, mode: 0o700 })
    const writable = await access(home, constants.W_OK | constants.X_OK).then(
      () => true,
      () => false,
    )
    if (!writable)
      return {
        ok: false,
        message: `${home} cannot be written by this user`,
        mend: 'Set MOLAR_HOME to a folder of yours',
      }
    if (process.platform === 'win32') return { ok: true, message: home }
    const { mode } = await stat(home)
    const open = (mode & 0o007) !== 0
    return {
      ok: !open,
      needed: false,
      message: open ? `${home} is open to every user of this machine` : home,
      ...(open ? { mend: `chmod o= ${home}` } : {}),
    }
  },

  async disk({ home }) {
    const { bavail, bsize } = await statfs(home)
    const free = bavail * bsize
    const message = `${free > 10e9 ? Math.round(free / 1e9) : (free / 1e9).toFixed(1)} GB free`
    return free >= wantedDisk
      ? { ok: true, message }
      : { ok: false, message: `only ${message}`, mend: `Make room at ${home}, or set MOLAR_HOME to another disk` }
  },

  database: async (config) => (config.databaseUrl === undefined ? embedded(config) : external(config.databaseUrl)),

  async browser(config, log) {
    const [{ configuredBrowser }, { describeMissingBrowser }] = await Promise.all([
      import('../worker/browser/find.ts'),
      import('../worker/browser/missing.ts'),
    ])
    const found = await configuredBrowser(config, log)
    if (!found) return { ok: false, message: 'none found', mend: describeMissingBrowser() }
    return { ok: true, message: `${found.kind} ${found.version} (${found.source}) at ${found.path}` }
  },

  /** Only a browser that has started shows that the kernel lets it be sandboxed. */
  async sandbox(config, log) {
    const [{ browsersIn, configuredBrowser }, { startBrowser }] = await Promise.all([
      import('../worker/browser/find.ts'),
      import('../worker/browser/launch.ts'),
    ])
    const found = await configuredBrowser(config, log)
    if (!found) return { ok: false, message: 'needs a browser' }
    const browser = await startBrowser({ found, cacheDirectory: browsersIn(config), log, sandbox: config.sandbox })
    await browser.close()
    const as = browser.uid === undefined ? '' : `, under uid ${browser.uid}`
    if (browser.sandboxed) return { ok: true, message: `on${as}` }
    return {
      ok: false,
      needed: false,
      message: 'off: pages run with the rights of this user',
      mend: 'MOLAR_SANDBOX=on',
    }
  },

  async port({ host, port }) {
    const code = await tryPort(host, port)
    if (code === undefined) return { ok: true, needed: false, message: `${host}:${port} is free` }
    const molar = await ask(`http://${host}:${port}/healthz`).then(
      (answer) => answer.ok,
      () => false,
    )
    if (molar) return { ok: true, needed: false, message: `a server answers at ${host}:${port}` }
    return {
      ok: false,
      needed: false,
      message: `${host}:${port} cannot be used (${code})`,
      mend: 'Set MOLAR_PORT to another port',
    }
  },

  async server({ url, key }) {
    if (url === undefined) return { ok: true, message: 'this machine does the work itself (no MOLAR_URL)' }
    const answer = await ask(`${url}/v1/me`, key).catch(() => undefined)
    if (!answer)
      return { ok: false, message: `no answer from ${url}`, mend: 'Check MOLAR_URL, or start the server: molar serve' }
    if (answer.status === 401)
      return {
        ok: false,
        message: `${url} does not accept the key`,
        mend: 'Set MOLAR_API_KEY; molar keys create makes one',
      }
    return answer.ok
      ? { ok: true, message: url }
      : { ok: false, message: `${url} answered ${answer.status}`, mend: 'Check MOLAR_URL' }
  },
}

async function embedded({ home }: Config): Promise<Omit<Finding, 'name' | 'needed'>> {
  const [{ embeddedStatus }, { findBinaries }] = await Promise.all([
    import('../db/embedded.ts'),
    import('./embedded-binaries.ts'),
  ])
  const status = await embeddedStatus(home)
  if (status.state === 'running')
    return { ok: true, message: `embedded PostgreSQL ${status.version} runs on port ${status.port}` }
  if (status.state === 'stopped')
    return { ok: true, message: 'embedded PostgreSQL, stopped; the next command starts it' }
  if (findBinaries()) return { ok: true, message: 'embedded PostgreSQL, not made yet; the first command makes it' }
  return {
    ok: false,
    message: `no embedded PostgreSQL for ${process.platform} ${process.arch}`,
    mend: 'Install again without --omit=optional, or set DATABASE_URL',
  }
}

async function external(databaseUrl: string): Promise<Omit<Finding, 'name' | 'needed'>> {
  const { databaseVersion } = await import('../db/probe.ts')
  try {
    const version = await databaseVersion(databaseUrl)
    const major = Number.parseInt(version, 10)
    if (major >= 15) return { ok: true, message: `PostgreSQL ${version} (DATABASE_URL)` }
    return { ok: false, message: `PostgreSQL ${version} is too old`, mend: 'Use PostgreSQL 15 or newer' }
  } catch (error) {
    return {
      ok: false,
      message: `DATABASE_URL: ${(error as Error).message || (error as { code?: string }).code}`,
      mend: 'Check DATABASE_URL and that the database runs',
    }
  }
}

const ask = (url: string, key?: string): Promise<Response> =>
  fetch(url, {
    signal: AbortSignal.timeout(5000),
    headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
  })

function tryPort(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
    server.listen(port, host, () => server.close(() => resolve(undefined)))
  })
}
