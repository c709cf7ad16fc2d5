import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser, BrowserContext, BrowserContextOptions, LaunchOptions } from 'playwright-core'
import { fail } from '../../core/errors.ts'
import { browserEnvironment, displayEnvironment } from './environment.ts'
import type { FoundBrowser } from './find.ts'
import type { Log } from './log.ts'
import { browserMemory, endLargePages } from './memory.ts'
import { type BrowserFolder, underOwnUid } from './own-uid.ts'
import { chromium } from './playwright.ts'
import { quietArguments } from './quiet.ts'
import { artifacts, mustDropRoot, privateDirectory, removePrivate } from './reach.ts'
import { endOnUncaught } from './uncaught.ts'

export interface StartOptions {
  found: FoundBrowser
  /** Where a copy of the executable may be kept, should the browser's own uid not reach the original. */
  cacheDirectory: string
  log: Log
  /** `off` gives strangers' pages the rights of the browser's process: only where an operator has said so. */
  sandbox: 'on' | 'off'
  /** With a window, on the display that these variables name. */
  window?: { display: Record<string, string> }
  /** More Chromium flags, after ours. */
  args?: readonly string[]
}

/** A running browser from which fresh contexts are cheap. */
export interface WarmBrowser {
  readonly version: string
  readonly sandboxed: boolean
  /** The uid that it runs under, of whom the files are that it writes; undefined where there are none. */
  readonly uid: number | undefined
  newContext(options?: BrowserContextOptions): Promise<BrowserContext>
  isConnected(): boolean
  onDisconnected(callback: () => void): void
  /** Bytes its processes keep for themselves; undefined where that cannot be told. */
  memory(): number | undefined
  /** Ends the processes of pages that keep more than `most` bytes; their pages crash. How many there were. */
  endLargePages(most: number): number
  close(): Promise<void>
}

/** A browser that does not close by then is killed, milliseconds. */
const closeMs = 5000

/** Starts a sandboxed Chromium: under a uid of its own for a root worker on Linux, directly otherwise. Throws `browser_unavailable` with what to do. */
export async function startBrowser(options: StartOptions): Promise<WarmBrowser> {
  const { found, sandbox, log } = options
  const started = performance.now()
  if (sandbox === 'off') log.warn('the browser runs without its sandbox, because the configuration says so')
  try {
    const warm = await launch(options)
    log.info(
      {
        version: warm.version,
        sandboxed: warm.sandboxed,
        source: found.source,
        ms: Math.round(performance.now() - started),
      },
      'browser started',
    )
    return warm
  } catch (cause) {
    return refuse(found, cause)
  }
}

function launchOptions({ found, sandbox, window, args = [] }: StartOptions): LaunchOptions {
  return {
    executablePath: found.path,
    headless: window === undefined,
    chromiumSandbox: sandbox === 'on',
    args: [...quietArguments, ...args],
    timeout: 30_000,
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  }
}

async function launch(options: StartOptions): Promise<WarmBrowser> {
  const { found, cacheDirectory, window, sandbox, log } = options
  const own = mustDropRoot() ? await underOwnUid(found, cacheDirectory, window?.display) : await underThisUid(options)
  const remove = () => removePrivate(own.folder)
  try {
    const artifactsDir = join(own.folder, artifacts)
    await mkdir(artifactsDir, { mode: 0o700 })
    const browser = await chromium.launch({ ...launchOptions(options), ...own.launch, artifactsDir })
    const server = serverOf(browser)
    takeOnlyPlainDownloads(server)
    const { process: child } = server.options.browserProcess
    const forget = endOnUncaught((err) => {
      log.warn({ err }, 'the browser is ended: it said what Playwright does not understand')
      kill(child)
    })
    browser.once('disconnected', forget)
    const close = async () => {
      const ended = () => child.exitCode !== null || child.signalCode !== null
      const closing = browser.close().then(ended, ended)
      // Ended is not closed: a process that left its group may hold its pipes.
      if (!(await Promise.race([closing, sleep(closeMs, false, { ref: false })]))) kill(child)
      if (!ended()) await once(child, 'exit')
      await remove()
    }
    return warmBrowser(browser, { sandboxed: sandbox === 'on', uid: own.uid, pid: child.pid!, close })
  } catch (cause) {
    await remove()
    throw cause
  }
}

/** The browser with all that is below it. Its pipes end here, too: a process that left the group may hold their other ends. */
function kill(child: ChildProcess): void {
  try {
    if (process.platform === 'win32') child.kill('SIGKILL')
    else process.kill(-child.pid!, 'SIGKILL')
  } catch {} // it ended by itself
  for (const pipe of child.stdio) pipe?.destroy()
}

async function underThisUid({ found, window }: StartOptions): Promise<BrowserFolder> {
  const folder = await privateDirectory()
  const display = window && (await displayEnvironment(window.display, folder))
  return { launch: { env: { ...browserEnvironment(found, folder), ...display } }, folder, uid: process.getuid?.() }
}

/** What the public API stands before, in the same process. */
interface PlaywrightServer {
  options: { browserProcess: { process: ChildProcess } }
  downloadCreated(page: unknown, name: unknown, ...more: unknown[]): void
}

function serverOf(browser: Browser): PlaywrightServer {
  return (browser as unknown as { _connection: { toImpl(of: Browser): PlaywrightServer } })._connection.toImpl(browser)
}

/**
 * Playwright deletes a download by the name that the browser's process says, and for a root worker does so as root:
 * a browser that was taken over may name no path that leads on through a link of its own.
 */
function takeOnlyPlainDownloads(server: PlaywrightServer): void {
  const created = server.downloadCreated
  server.downloadCreated = function (page, name, ...more) {
    if (typeof name === 'string' && /^[\w-]+$/.test(name)) created.call(this, page, name, ...more)
  }
}

interface Held {
  sandboxed: boolean
  uid: number | undefined
  /** The browser's process, or the one that it is below. */
  pid: number
  close(): Promise<void>
}

function warmBrowser(browser: Browser, held: Held): WarmBrowser {
  let closing: Promise<void> | undefined
  return {
    version: browser.version(),
    sandboxed: held.sandboxed,
    uid: held.uid,
    newContext: (options = {}) => browser.newContext(options),
    isConnected: () => closing === undefined && browser.isConnected(),
    onDisconnected: (callback) => void browser.on('disconnected', callback),
    memory: () => browserMemory(held.pid),
    endLargePages: (most) => endLargePages(held.pid, most),
    close: () => (closing ??= held.close()),
  }
}

const refusedSandbox =
  /No usable sandbox|Operation not permitted|zygote_host_impl|Running as root without --no-sandbox|user namespace/i
const missingLibrary = /error while loading shared libraries: (\S+):/

function refuse(found: FoundBrowser, cause: unknown): never {
  const text = cause instanceof Error ? cause.message : String(cause)
  const library = missingLibrary.exec(text)?.[1]
  if (library)
    fail(
      'browser_unavailable',
      `Chromium at ${found.path} lacks ${library}. Run \`molar browser install\`, or install that library.`,
      { cause },
    )
  if (/setpriv: (?!failed to execute)/.test(text))
    fail(
      'browser_unavailable',
      'Under root Chromium is given a uid of its own by the setpriv of util-linux, which this machine lacks. Install it, or run Molar as another user.',
      { cause },
    )
  if (refusedSandbox.test(text)) {
    const mend =
      'Allow it (in Docker `--security-opt seccomp=unconfined` or a profile that permits clone and unshare; on Ubuntu ' +
      '`sysctl kernel.apparmor_restrict_unprivileged_userns=0`; elsewhere `sysctl user.max_user_namespaces=10000`), ' +
      'or accept pages without a sandbox by MOLAR_SANDBOX=off.'
    fail(
      'browser_unavailable',
      `Chromium cannot build its sandbox: this system lets no unprivileged process make a user namespace. ${mend}`,
      { cause },
    )
  }
  fail('browser_unavailable', `Chromium at ${found.path} did not start: ${text.split('\n')[0]}`, { cause })
}
