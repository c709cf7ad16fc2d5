import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { chown, realpath, rm, stat } from 'node:fs/promises'
import { createRequire, getCompileCacheDir } from 'node:module'
import { basename, dirname, join } from 'node:path'
import type { Browser, LaunchOptions } from 'playwright-core'
import { browserEnvironment, displayEnvironment } from './environment.ts'
import type { FoundBrowser } from './find.ts'
import { type HolderAnswer, type HolderOrder, holdBrowser } from './holder.ts'
import { chromium } from './playwright.ts'
import { browserUid, copyForOthers, othersReach, privateDirectory, reachableCache } from './reach.ts'

/** A browser that another process holds for us under an unprivileged uid. */
export interface IsolatedBrowser {
  browser: Browser
  pid: number
  uid: number
  close(): Promise<void>
}

/** For a root worker on Linux: starts a holder under `browserUid`, waits for its browser and connects to it on loopback. */
export async function startIsolated(
  found: FoundBrowser,
  launch: LaunchOptions,
  cacheDirectory: string,
  display: Record<string, string> = {},
): Promise<IsolatedBrowser> {
  const executable = await reachableExecutable(found, cacheDirectory)
  const home = await privateDirectory()
  await chown(home, browserUid, browserUid)
  const env = {
    ...browserEnvironment({ ...found, ...executable }, home),
    ...(await displayEnvironment(display, home, browserUid)),
  }
  // A process group of its own: Ctrl-C in a terminal must reach the worker, which still has runs to end, and not this one.
  const holder = spawn(process.execPath, ['-e', `(${holdBrowser.toString()})()`], {
    env,
    cwd: '/',
    stdio: 'pipe',
    detached: true,
  })
  const gone = new Promise<void>((resolve) => holder.once('exit', () => resolve()))
  const close = async () => {
    holder.stdin?.end()
    const timer = setTimeout(() => holder.kill('SIGKILL'), 5000)
    await gone
    clearTimeout(timer)
    await rm(home, { recursive: true, force: true })
  }
  try {
    const order: HolderOrder = {
      playwright: createRequire(import.meta.url).resolve('playwright-core'),
      compileCache: compileCacheFolder(),
      uid: browserUid,
      home,
      path: `/${randomBytes(24).toString('base64url')}`,
      launch: { ...launch, executablePath: executable.path, env, handleSIGINT: false },
    }
    holder.stdin?.on('error', () => undefined).write(`${JSON.stringify(order)}\n`)
    const endpoint = await firstAnswer(holder, launch.timeout ?? 30_000)
    const browser = await chromium.connect(endpoint, { timeout: 10_000 })
    // From here on neither the pipe nor the child may keep a worker alive that has nothing else to do.
    unreference(holder)
    return {
      browser,
      pid: holder.pid!,
      uid: browserUid,
      close: () =>
        browser
          .close()
          .catch(() => undefined)
          .then(close),
    }
  } catch (cause) {
    await close()
    throw cause
  }
}

/** The executable as the browser's uid can run it: itself, or a copy of its folder where a parent folder is private. */
async function reachableExecutable(
  found: FoundBrowser,
  cacheDirectory: string,
): Promise<{ path: string; libraryPath?: string }> {
  const library = found.libraryPath ? { libraryPath: found.libraryPath } : {}
  if (await othersReach(found.path, 0o005)) return { path: found.path, ...library }
  const original = await realpath(found.path)
  const { size, mtimeMs } = await stat(original)
  const mark = createHash('sha256').update(`${original} ${size} ${mtimeMs}`).digest('hex').slice(0, 12)
  const copy = join(await reachableCache(cacheDirectory), `${found.kind}-${found.version}-${mark}`)
  await copyForOthers(original, copy)
  return {
    path: join(copy, basename(original)),
    ...(found.libraryPath ? { libraryPath: join(copy, basename(found.libraryPath)) } : {}),
  }
}

/** That of this process; Node adds a folder of its version and uid below. */
function compileCacheFolder(): string | undefined {
  const folder = getCompileCacheDir()
  return folder === undefined ? undefined : dirname(folder)
}

async function firstAnswer(holder: ChildProcess, timeout: number): Promise<string> {
  let errors = ''
  holder.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    errors = (errors + chunk).slice(-4096)
  })
  const line = await new Promise<string>((resolve, reject) => {
    let text = ''
    const timer = setTimeout(
      () => reject(new Error(`The browser did not start within ${timeout} ms. ${errors}`)),
      timeout + 2000,
    )
    holder.once('error', reject)
    holder.once('exit', (code, signal) =>
      reject(new Error(`The browser's process ended (${signal ?? code}) before it was ready. ${errors}`)),
    )
    holder.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (!text.includes('\n')) return
      clearTimeout(timer)
      resolve(text)
    })
  })
  const answer = JSON.parse(line) as HolderAnswer
  if ('error' in answer) throw new Error(answer.error)
  return answer.endpoint
}

function unreference(holder: ChildProcess): void {
  holder.unref()
  for (const pipe of [holder.stdin, holder.stdout, holder.stderr])
    (pipe as unknown as { unref?: () => void } | null)?.unref?.()
}
