import { randomBytes } from 'node:crypto'
import { chmod, chown, lstat, mkdir, readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fail } from '../../core/errors.ts'
import { exists, writeOnce } from './files.ts'

/** Where a home keeps its PostgreSQL, and the passwords of its two login roles. */
export type Place = { root: string; ownerPassword: string; appPassword: string }

/** As root, PostgreSQL runs under this uid and gid (nobody): it refuses to run as root. It needs no passwd entry. */
const serverUid = 65534

/** Whom to start PostgreSQL as; undefined where this process may run it itself. */
export const runAs = (): { uid: number; gid: number } | undefined =>
  process.getuid?.() === 0 ? { uid: serverUid, gid: serverUid } : undefined

const recordOf = (home: string): string => join(home, 'postgres.json')

/** Reads the home's record, if it has one. */
export async function readPlace(home: string): Promise<Place | undefined> {
  const text = await readFile(recordOf(home), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  return text === undefined ? undefined : (JSON.parse(text) as Place)
}

/**
 * Reads or makes the home's record. The cluster lies in `<home>/postgres`, unless this is root and a parent of home
 * (such as /root, 0700) keeps uid 65534 out: then in /var/lib/molar/<random>, or /var/tmp/molar where that is read-only.
 * The first of several processes to write the record decides for all.
 */
export async function makePlace(home: string): Promise<Place> {
  try {
    return await findOrMake(home)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (!['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'ENOTDIR', 'EDQUOT'].includes(code)) throw error
    return fail(
      'unavailable',
      `PostgreSQL's data cannot be kept in ${home} (${(error as Error).message}). Make it writable, make room, or set MOLAR_HOME to another directory.`,
      { cause: error },
    )
  }
}

async function findOrMake(home: string): Promise<Place> {
  await mkdir(home, { recursive: true, mode: 0o700 })
  if (!(await readPlace(home))) {
    const place: Place = {
      root: await chooseRoot(await realpath(home)),
      ownerPassword: randomBytes(24).toString('hex'),
      appPassword: randomBytes(24).toString('hex'),
    }
    await writeOnce(recordOf(home), `${JSON.stringify(place, null, 2)}\n`)
  }
  const place = (await readPlace(home)) ?? fail('unavailable', `${recordOf(home)} vanished while it was being read.`)
  if (runAs()) await letIn(await realpath(home), place.root)
  await mkdir(place.root, { recursive: true, mode: 0o711 })
  if (runAs()) await chmod(place.root, 0o711)
  return place
}

async function chooseRoot(home: string): Promise<string> {
  if (!runAs() || (await isPassable(dirname(home)))) return join(home, 'postgres')
  for (const base of ['/var/lib/molar', '/var/tmp/molar']) {
    try {
      await mkdir(base, { recursive: true, mode: 0o755 })
      const found = await lstat(base)
      if (!found.isDirectory() || found.uid !== 0) continue // /var/tmp is anyone's: never follow what others put there
      await chmod(base, 0o755)
      return join(base, randomBytes(8).toString('hex'))
    } catch (error) {
      if (!['EROFS', 'EACCES', 'EPERM', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
  return fail(
    'unavailable',
    `As root, PostgreSQL runs under another user, who can reach neither ${home} nor /var/lib/molar. Set MOLAR_HOME to a directory that others may pass through, or run as an ordinary user.`,
  )
}

async function isPassable(directory: string): Promise<boolean> {
  for (let at = directory; ; at = dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0) return false
    if (at === dirname(at)) return true
  }
}

/** Lets the server's group, and no other, pass through a private home. */
async function letIn(home: string, root: string): Promise<void> {
  if (dirname(root) !== home) return
  const { mode, uid, gid } = await stat(home)
  if ((mode & 0o001) !== 0 || (gid === serverUid && (mode & 0o010) !== 0)) return
  await chown(home, uid, serverUid)
  await chmod(home, (mode & 0o700) | 0o010)
}

/** Whether the home has a data directory. */
export const dataDirectory = (place: Place): string => join(place.root, 'data')

/** Whether initdb has been here. */
export const hasCluster = (place: Place): Promise<boolean> => exists(join(dataDirectory(place), 'PG_VERSION'))

/** Where PostgreSQL names its socket: beside the data, where nobody else can go. */
export const socketFile = (place: Place, port: number): string => join(dataDirectory(place), `.s.PGSQL.${port}`)

// A socket's address has room for 108 bytes, on macOS for 104, with a zero at its end.
const longestSocketPath = 103

/** The folder of the socket; undefined where there can be none: on Windows, and where its path is too long. */
export const socketFolder = (place: Place): string | undefined =>
  process.platform === 'win32' || Buffer.byteLength(socketFile(place, 65_535)) > longestSocketPath
    ? undefined
    : dataDirectory(place)
