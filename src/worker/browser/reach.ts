import { execFile } from 'node:child_process'
import { constants, existsSync } from 'node:fs'
import {
  access,
  chmod,
  copyFile,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { plainPath } from './environment.ts'

/** The unprivileged uid and gid under which a root process lets the browser live; needs no passwd entry, and is not PostgreSQL's. */
export const browserUid = 65533

const folderPrefix = 'molar-browser-'

/** What Playwright keeps of a browser's runs while they go on; in such a folder, but for the worker alone. */
export const artifacts = 'artifacts'

/** True where this process may and should give the browser a uid of its own. */
export function mustDropRoot(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0
}

/** True when a foreign uid can read (and where meant execute) `path`: every folder above it lets others pass. */
export async function othersReach(path: string, bits: number): Promise<boolean> {
  try {
    let at = await realpath(path)
    if (((await stat(at)).mode & bits) !== bits) return false
    while (dirname(at) !== at) {
      at = dirname(at)
      if (((await stat(at)).mode & 0o001) === 0) return false
    }
    return true
  } catch {
    return false
  }
}

/** The folder for unpacked browsers: the one given or, where the browser's own uid could not pass it, one of the machine's. */
export async function reachableCache(cacheDirectory: string): Promise<string> {
  if (await makeDirectory(cacheDirectory)) {
    if (!mustDropRoot() || (await othersReach(cacheDirectory, 0o005))) return cacheDirectory
  }
  const shared = '/var/cache/molar/browsers'
  if ((await makeDirectory(shared)) && (await othersReach(shared, 0o005))) return shared
  throw new Error(
    `Neither ${cacheDirectory} nor ${shared} can hold a browser that uid ${browserUid} can run. Point MOLAR_HOME at a folder that others may pass.`,
  )
}

/** Makes a folder that others may pass, whatever the umask says; folders that were there keep their mode. */
export async function openDirectory(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true })
  for (let at = path; first && at.length >= first.length; at = dirname(at)) await chmod(at, 0o755)
}

async function makeDirectory(path: string): Promise<boolean> {
  try {
    await openDirectory(path)
    await access(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** A new private folder (0700), made where a foreign uid can reach it. The caller hands it over with chown. */
export async function privateDirectory(): Promise<string> {
  for (const base of [tmpdir(), '/tmp', '/var/tmp']) {
    if (!(await othersReach(base, 0o001)) && mustDropRoot()) continue
    await sweep(base)
    return mkdtemp(join(base, `${folderPrefix}${process.pid}-`))
  }
  throw new Error('No temporary folder can be reached by an unprivileged process: set TMPDIR to one.')
}

const run = promisify(execFile)

/**
 * Removes such a folder. As root what is the worker's own, and what is empty: of what a stranger still writes in, a link
 * put in the place of a folder at the right moment would lead elsewhere. So the browser's uid removes what is its own.
 */
export async function removePrivate(folder: string): Promise<void> {
  if (!mustDropRoot()) return rm(folder, { recursive: true, force: true, maxRetries: 3 })
  await rm(join(folder, artifacts), { recursive: true, force: true })
  const nothing = { PATH: plainPath } // whoever has that uid reads it
  for (let tries = 0; tries < 4; tries++) {
    const inside = (await readdir(folder).catch(() => [])).map((name) => join(folder, name))
    for (const path of [...inside, folder]) await rmdir(path).catch(() => undefined)
    if (!existsSync(folder)) return
    if (tries > 0) await sleep(200) // its last processes end
    await run('rm', ['-rf', ...inside], { cwd: '/', env: nothing, uid: browserUid, gid: browserUid }).catch(
      () => undefined,
    )
  }
}

/** Removes the folders of workers that were killed before they could. They carry their worker's pid. */
async function sweep(base: string): Promise<void> {
  for (const name of await readdir(base)) {
    const pid = name.startsWith(folderPrefix) ? Number.parseInt(name.slice(folderPrefix.length), 10) : Number.NaN
    if (Number.isNaN(pid) || isAlive(pid)) continue
    // Another container may share the folder but not our pids: leave what is young.
    const facts = await lstat(join(base, name)).catch(() => undefined)
    if (!facts?.isDirectory() || (process.getuid && facts.uid !== process.getuid())) continue // anybody can make such a name
    if (Date.now() - facts.mtimeMs > 3_600_000) await removePrivate(join(base, name)).catch(() => undefined)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** What stands beside a Chromium executable and belongs to it. Nothing else of its folder is ever shown to others. */
const chromiumParts =
  /^(?:.*\.(?:pak|dat|bin|info|so(?:\.\d+)*)|locales|lib|resources|MEIPreload|WidevineCdm|vk_swiftshader_icd\.json|chrome_crashpad_handler|chrome-sandbox|chrome_sandbox)$/

/** Copies a Chromium so that others may run it; hard links where the disk allows, atomic, done once. Throws where `executable` does not stand in a Chromium's own folder. */
export async function copyForOthers(executable: string, to: string): Promise<void> {
  if (await othersReach(to, 0o005)) return
  const from = dirname(executable)
  const parts = (await readdir(from)).filter((name) => chromiumParts.test(name))
  if (!parts.includes('icudtl.dat')) {
    throw new Error(
      `${executable} cannot be run by uid ${browserUid}, since a folder above it is private. Move it to one that others may pass, such as /opt.`,
    )
  }
  const half = `${to}.${process.pid}.${Date.now()}`
  await copyTree(from, half, [...parts, basename(executable)])
  await rename(half, to).catch(async (cause: NodeJS.ErrnoException) => {
    await rm(half, { recursive: true, force: true })
    if (cause.code !== 'ENOTEMPTY' && cause.code !== 'EEXIST') throw cause
  })
}

async function copyTree(from: string, to: string, only?: readonly string[]): Promise<void> {
  await openDirectory(to)
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (only && !only.includes(entry.name)) continue
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) await copyTree(source, target)
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target)
    else await shareFile(source, target)
  }
}

/** Links only what others may already read: a link shares its mode with the original, and that is not ours to widen. */
async function shareFile(source: string, target: string): Promise<void> {
  const { mode } = await stat(source)
  const executable = (mode & 0o100) !== 0
  const enough = executable ? 0o005 : 0o004
  if ((mode & enough) === enough) {
    const linked = await link(source, target).then(
      () => true,
      () => false,
    )
    if (linked) return
  }
  await copyFile(source, target)
  await chmod(target, executable ? 0o755 : 0o644)
}
