import { createHash } from 'node:crypto'
import { chmod, chown, mkdir, realpath, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LaunchOptions } from 'playwright-core'
import { browserEnvironment, displayEnvironment } from './environment.ts'
import type { FoundBrowser } from './find.ts'
import { browserUid, copyForOthers, othersReach, privateDirectory, reachableCache } from './reach.ts'

/** The folder of all that a browser may write, as which uid, and how Playwright starts it so. */
export interface BrowserFolder {
  folder: string
  uid: number | undefined
  launch: Pick<LaunchOptions, 'executablePath' | 'downloadsPath' | 'env'>
}

const script = fileURLToPath(new URL('own-uid.sh', import.meta.url))

/** For a root worker on Linux: what makes the browser run under `browserUid`. Only that process and what it writes are its own. */
export async function underOwnUid(
  found: FoundBrowser,
  cacheDirectory: string,
  display: Record<string, string> = {},
): Promise<BrowserFolder> {
  const executable = await reachableExecutable(found, cacheDirectory)
  const folder = await privateDirectory()
  await chmod(folder, 0o711) // ours: the browser can pass it, but not put another folder in the place of one of these
  const [home, downloads] = [join(folder, 'home'), join(folder, 'downloads')]
  await Promise.all([home, downloads].map((path) => mkdir(path, { mode: 0o700 })))
  const env = {
    ...browserEnvironment({ ...found, ...executable }, home),
    ...(await displayEnvironment(display, home, browserUid)),
    MOLAR_UID: String(browserUid),
    MOLAR_BROWSER: executable.path,
  }
  // Last: into a folder that is another's we write nothing, since a link could stand there.
  await Promise.all([home, downloads].map((path) => chown(path, browserUid, browserUid)))
  return { folder, uid: browserUid, launch: { executablePath: script, downloadsPath: downloads, env } }
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
