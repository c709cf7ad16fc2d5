import { spawn } from 'node:child_process'
import { chmod, chown, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '../../core/errors.ts'
import type { Binaries } from './binaries.ts'
import { oneAtATime } from './files.ts'
import { dataDirectory, hasCluster, type Place, runAs } from './place.ts'

/** The superuser that migrates, and the powerless login that the application uses. */
export const ownerRole = 'molar_owner'
export const appRole = 'molar_login'
export const databaseName = 'molar'

/**
 * Makes the data directory if there is none: initdb, the login roles and the database in a temporary sibling, then an
 * atomic rename. Of several processes at once one wins, and the others throw their copies away.
 */
export async function ensureCluster(place: Place, { bin }: Binaries, sync: boolean): Promise<void> {
  await oneAtATime(
    `${dataDirectory(place)}.lock`,
    () => hasCluster(place),
    () => makeCluster(place, bin, sync),
  )
}

async function makeCluster(place: Place, bin: string, sync: boolean): Promise<void> {
  const draft = join(place.root, `data.${process.pid}.${Date.now().toString(36)}`)
  try {
    await mkdir(draft, { mode: 0o700 })
    await own(draft)
    await runInitdb(place, bin, draft, sync)
    const sql = [
      `CREATE ROLE ${appRole} LOGIN PASSWORD '${place.appPassword}' NOSUPERUSER NOCREATEDB NOCREATEROLE;`,
      `CREATE DATABASE ${databaseName};`,
      `REVOKE ALL ON DATABASE ${databaseName} FROM PUBLIC;`,
      `GRANT CONNECT ON DATABASE ${databaseName} TO ${appRole};`,
    ]
    await run(
      join(bin, 'postgres'),
      ['--single', '-D', draft, ...quietly, ...(sync ? [] : ['-F']), 'postgres'],
      `${sql.join('\n')}\n`,
    )
    await rename(draft, dataDirectory(place)).catch(async (error: unknown) => {
      if (!(await hasCluster(place))) throw error
    })
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

const quietly = ['-c', 'log_min_messages=fatal', '-c', 'shared_buffers=16MB', '-c', 'io_method=sync']

async function runInitdb(place: Place, bin: string, draft: string, sync: boolean): Promise<void> {
  const passwordFile = `${draft}.password`
  await writeFile(passwordFile, place.ownerPassword, { mode: 0o600, flag: 'wx' })
  try {
    await own(passwordFile)
    const flags = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
    // Iterations make guessing dear, and nobody guesses 24 random bytes; each connection would pay 2 ms of the processor for them.
    const auth = [
      '--auth=scram-sha-256',
      `--username=${ownerRole}`,
      `--pwfile=${passwordFile}`,
      '-c',
      'scram_iterations=1',
    ]
    await run(join(bin, 'initdb'), [
      '-D',
      draft,
      ...auth,
      ...flags,
      '--no-instructions',
      ...(sync ? [] : ['--no-sync']),
    ])
  } finally {
    await rm(passwordFile, { force: true })
  }
}

async function own(path: string): Promise<void> {
  const user = runAs()
  if (user) await chown(path, user.uid, user.gid)
  else await chmod(path, 0o700)
}

/** The environment of PostgreSQL's processes: nothing of ours but what finding libraries and time takes. */
export const serverEnvironment = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }

/**
 * PostgreSQL's programs look their own user up, and a container may run under a uid that /etc/passwd does not have. In a
 * user namespace of its own the same uid can go by the name of nobody, where the machine allows such namespaces.
 */
async function run(command: string, args: string[], input = ''): Promise<void> {
  await runPlain(command, args, input).catch(async (error: Error) => {
    if (process.platform !== 'linux' || !error.message.includes(namelessUser)) throw error
    const dressed = ['--user', '--map-user=65534', '--map-group=65534', command, ...args]
    await runPlain('unshare', dressed, input).catch(() => {
      throw error
    })
  })
}

const namelessUser = 'could not look up effective user ID'

function runPlain(command: string, args: string[], input: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...runAs(), cwd: '/', env: serverEnvironment, timeout: 60_000 })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    child.stdin.on('error', () => {}) // it may exit before it reads; its exit code tells
    child.stdin.end(input)
    child.on('error', (error) => reject(explain(error.message, error)))
    child.on('close', (code, signal) => {
      // Single-user mode exits 0 after a failed statement.
      if (code === 0 && !/\b(ERROR|FATAL|PANIC):/.test(output)) resolve()
      else reject(explain(output || `it ended with ${signal ?? code}`, new Error(`${command}: ${code ?? signal}`)))
    })
  })
}

/** What went wrong with PostgreSQL's own programs, and what to do about it. */
export function explain(output: string, cause: unknown): Error {
  try {
    return fail('unavailable', `PostgreSQL could not be started: ${remedy(output)}`, { cause })
  } catch (error) {
    return error as Error
  }
}

function remedy(output: string): string {
  const said = output.trim().split('\n').slice(-6).join('\n')
  if (/No space left on device|ENOSPC/.test(output))
    return `the disk is full. Free about 200 MB and try again.\n${said}`
  if (/EPERM|EINVAL|Operation not permitted/.test(output))
    return `as root it must run as uid ${runAs()?.uid}, and this machine does not allow that. Run Molar as an ordinary user, or set DATABASE_URL.\n${said}`
  if (output.includes(namelessUser))
    return `this process's user has no name. Add a line for uid ${process.getuid?.()} to /etc/passwd, or set DATABASE_URL.\n${said}`
  if (/ENOENT/.test(output))
    return `its program does not run here (the binaries need glibc, which Alpine does not have). Set DATABASE_URL to a PostgreSQL 15 to 18.\n${said}`
  if (/shared memory|Cannot allocate memory/.test(output))
    return `there is not enough (shared) memory; in Docker give --shm-size=256m.\n${said}`
  if (/incompatible with server|database files are incompatible/.test(output))
    return `its data belongs to another major version. Dump it with that version, or start afresh with "molar db reset".\n${said}`
  return said
}
