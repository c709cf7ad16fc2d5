import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fail } from '../../core/errors.ts'
import { plainPath } from './environment.ts'
import { type FoundBrowser, findBrowser } from './find.ts'
import type { Log } from './log.ts'
import { defaultPlaywrightCache } from './playwright-cache.ts'
import { unpackShipped } from './shipped.ts'

export interface InstallOptions {
  cacheDirectory: string
  playwrightCache?: string | undefined
  /** One line of what goes on. */
  progress: (line: string) => void
  log: Log
  /** HTTPS_PROXY and the like, for a download that needs them. */
  downloadEnvironment?: Record<string, string>
}

/** Makes a browser be there: npm's, unpacked, where it fits this machine; otherwise Playwright's own download. Throws `browser_unavailable` when neither works. */
export async function installBrowser(options: InstallOptions): Promise<FoundBrowser> {
  const { cacheDirectory, progress, log } = options
  const shipped = await unpackShipped(cacheDirectory).catch((cause: unknown) => {
    progress(`The browser that npm brought could not be unpacked: ${cause instanceof Error ? cause.message : cause}`)
    return undefined
  })
  if (shipped) progress(`Chromium ${shipped.version} from npm is unpacked at ${shipped.path}.`)
  else await downloadWithPlaywright(options)
  const found = await findBrowser({ cacheDirectory, playwrightCache: options.playwrightCache, log })
  if (found) return found
  fail(
    'browser_unavailable',
    'A browser was installed, but it does not run here: it probably lacks libraries. `npx playwright install-deps chromium-headless-shell` adds them.',
  )
}

async function downloadWithPlaywright(options: InstallOptions): Promise<void> {
  options.progress("Downloading Chromium's headless shell with Playwright …")
  const installer = join(dirname(createRequire(import.meta.url).resolve('playwright-core/package.json')), 'cli.js')
  const env = {
    PATH: plainPath,
    PLAYWRIGHT_BROWSERS_PATH: options.playwrightCache ?? defaultPlaywrightCache(),
    ...options.downloadEnvironment,
  }
  const child = spawn(process.execPath, [installer, 'install', 'chromium-headless-shell'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let last = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      for (const line of chunk.split('\n').filter((part) => part.trim())) {
        last = line.trim()
        options.progress(last)
      }
    })
  }
  const timer = setTimeout(() => child.kill(), 10 * 60_000)
  const code = await new Promise<number | null>((resolve) =>
    child.once('close', resolve).once('error', () => resolve(null)),
  )
  clearTimeout(timer)
  if (code === 0) return
  const said = last ? ` Its last words: ${last.slice(0, 300)}` : ''
  fail(
    'browser_unavailable',
    `Chromium could not be downloaded: the network refuses, or Playwright has no build for this system.${said} Install Chromium with the system's packages, or set MOLAR_CHROMIUM_PATH.`,
  )
}
