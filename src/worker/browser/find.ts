import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Config } from '../../config.ts'
import { fail } from '../../core/errors.ts'
import { plainPath } from './environment.ts'
import type { Log } from './log.ts'
import { playwrightBrowsers } from './playwright-cache.ts'
import { unpackShipped } from './shipped.ts'
import { systemBrowsers } from './system.ts'

export type BrowserKind = 'headless-shell' | 'chromium'
export type BrowserSource = 'explicit' | 'playwright' | 'system' | 'npm'

/** A Chromium that answered `--version`. `libraryPath` goes into LD_LIBRARY_PATH. */
export interface FoundBrowser {
  path: string
  kind: BrowserKind
  version: string
  source: BrowserSource
  libraryPath?: string
}

export interface FindOptions {
  /** MOLAR_CHROMIUM_PATH: nothing else is tried when it is given. */
  explicitPath?: string | undefined
  /** Where browsers are unpacked. */
  cacheDirectory: string
  /** PLAYWRIGHT_BROWSERS_PATH; Playwright's own default when absent. */
  playwrightCache?: string | undefined
  log: Log
  /** Only browsers that can show a window. */
  windowed?: boolean
}

export type Candidate = { path: string; kind: BrowserKind; source: BrowserSource }

const run = promisify(execFile)

/** Where browsers are unpacked. */
export const browsersIn = (config: Config): string => join(config.home, 'browsers')

/** The browser that this installation uses; one that can show a window where it must. */
export const configuredBrowser = (config: Config, log: Log, windowed = false): Promise<FoundBrowser | undefined> =>
  findBrowser({
    explicitPath: config.chromiumPath,
    cacheDirectory: browsersIn(config),
    playwrightCache: config.playwrightCache,
    log,
    windowed,
  })

/** The first Chromium that runs: explicit, Playwright's, the system's headless shell, its full browser, npm's. Throws `browser_unavailable` for an explicit path that does not run. */
export async function findBrowser(options: FindOptions): Promise<FoundBrowser | undefined> {
  if (options.explicitPath) return explicitBrowser(options.explicitPath)
  for (const candidate of [...playwrightBrowsers(options.playwrightCache), ...systemBrowsers()]) {
    if (options.windowed && candidate.kind === 'headless-shell') continue
    const answer = await askVersion(candidate.path)
    if ('version' in answer) return { ...candidate, version: answer.version }
    options.log.warn({ path: candidate.path, problem: answer.problem }, 'a browser was found that does not run')
  }
  return options.windowed ? undefined : shippedBrowser(options)
}

async function explicitBrowser(path: string): Promise<FoundBrowser> {
  const answer = await askVersion(path)
  if ('version' in answer) return { path, kind: kindOf(path), version: answer.version, source: 'explicit' }
  fail(
    'browser_unavailable',
    `MOLAR_CHROMIUM_PATH is ${path}, and that does not run: ${answer.problem}. Point it at a Chromium or unset it.`,
  )
}

async function shippedBrowser({ cacheDirectory, log }: FindOptions): Promise<FoundBrowser | undefined> {
  const shipped = await unpackShipped(cacheDirectory).catch((cause: unknown) => {
    log.warn({ err: cause }, 'the browser that npm brought could not be unpacked')
    return undefined
  })
  if (!shipped) return undefined
  const answer = await askVersion(shipped.path, shipped.libraryPath)
  if ('version' in answer) {
    return {
      path: shipped.path,
      kind: 'headless-shell',
      version: answer.version,
      source: 'npm',
      libraryPath: shipped.libraryPath,
    }
  }
  log.warn({ path: shipped.path, problem: answer.problem }, 'the browser that npm brought does not run')
  return undefined
}

function kindOf(path: string): BrowserKind {
  return /headless[-_]shell/i.test(path) ? 'headless-shell' : 'chromium'
}

/** Asks the executable itself: one that lacks a library or is for another processor is no browser. */
async function askVersion(path: string, libraryPath?: string): Promise<{ version: string } | { problem: string }> {
  // On Windows `--version` opens a window: there the path must do.
  if (process.platform === 'win32') return { version: /[\\/](\d+(?:\.\d+)+)[\\/]/.exec(path)?.[1] ?? 'unknown' }
  try {
    const env = { PATH: plainPath, HOME: '/nonexistent', ...(libraryPath ? { LD_LIBRARY_PATH: libraryPath } : {}) }
    const { stdout } = await run(path, ['--version'], { timeout: 10_000, env })
    const version = /\d+(?:\.\d+){1,3}/.exec(stdout)?.[0]
    return version ? { version } : { problem: 'it does not tell its version' }
  } catch (cause) {
    const error = cause as NodeJS.ErrnoException & { stderr?: string }
    return { problem: (error.stderr?.trim() || error.message).split('\n').slice(0, 2).join(' ').slice(0, 300) }
  }
}
