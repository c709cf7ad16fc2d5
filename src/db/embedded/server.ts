import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { link, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Binaries, installBinaries } from './binaries.ts'
import { explain, serverEnvironment } from './cluster.ts'
import { isAlive } from './files.ts'
import { dataDirectory, type Place, runAs, socketFile, socketFolder } from './place.ts'

/** What postmaster.pid says of a server, which may be running or long gone. */
export type Postmaster = { pid: number; port: number; text: string }

/** Reads postmaster.pid; undefined when there is none, or it is still being written. */
export async function readPostmaster(place: Place): Promise<Postmaster | undefined> {
  const text = await readFile(join(dataDirectory(place), 'postmaster.pid'), 'utf8').catch(() => '')
  const lines = text.split('\n')
  const pid = Number(lines[0])
  const port = Number(lines[3])
  return pid > 0 && port > 0 ? { pid, port, text } : undefined
}

const settings = {
  listen_addresses: '127.0.0.1',
  max_connections: '200',
  shared_buffers: '48MB',
  fsync: 'on',
  synchronous_commit: 'on',
  jit: 'off',
  io_method: 'sync', // no extra processes for a laptop's load
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '512MB',
  max_logical_replication_workers: '0',
  max_parallel_workers_per_gather: '0', // parallel plans need /dev/shm, of which a container has 64 MB
  huge_pages: 'off',
  idle_in_transaction_session_timeout: '120s',
  timezone: 'UTC',
  log_timezone: 'UTC',
}

/**
 * Starts postgres detached, on the port it had before if that is free. Settled by PostgreSQL itself: of several on one
 * data directory all but one exit.
 */
export async function startServer(place: Place, binaries: Binaries, extra: Record<string, string>): Promise<Starting> {
  const logFile = join(place.root, 'postgres.log')
  let size = (await stat(logFile).catch(() => undefined))?.size ?? 0
  if (size > 10_000_000) {
    await truncate(logFile, 0)
    size = 0
  }
  const port = await choosePort(place)
  const folder = socketFolder(place)
  const own = { unix_socket_directories: folder ? `"${folder.replaceAll('"', '""')}"` : '', port: `${port}` }
  const flags = Object.entries({ ...settings, ...extra, ...own }).flatMap(([key, value]) => ['-c', `${key}=${value}`])
  const logFd = openSync(logFile, 'a', 0o600)
  try {
    const child = spawn(join(binaries.bin, 'postgres'), ['-D', dataDirectory(place), ...flags], {
      ...runAs(),
      cwd: '/',
      env: serverEnvironment,
      detached: true,
      stdio: ['ignore', logFd, logFd],
    })
    child.unref()
    return watch(child, logFile, size)
  } finally {
    closeSync(logFd)
  }
}

/** A server that is being started: `failed()` is the reason once it has exited. */
export type Starting = { failed(): Promise<Error | undefined> }

function watch(child: ChildProcess, logFile: string, from: number): Starting {
  let error: Error | undefined
  child.on('error', (cause) => (error = cause))
  child.on('exit', (code, signal) => (error ??= new Error(`postgres ended with ${signal ?? code}`)))
  return {
    async failed() {
      if (!error) return undefined
      const said = (await readFile(logFile, 'utf8').catch(() => '')).slice(from)
      return explain(`${said}\n${error.message}`, error)
    },
  }
}

const portFile = (place: Place): string => join(place.root, 'port')

/** Remembers the port, so that a restarted server is found where the pools of running processes look for it. */
export const rememberPort = (place: Place, port: number): Promise<void> => writeFile(portFile(place), `${port}\n`)

async function choosePort(place: Place): Promise<number> {
  const before = Number(await readFile(portFile(place), 'utf8').catch(() => '0'))
  return (before > 0 && (await freePort(before))) || (await freePort(0)) || 0
}

function freePort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.on('error', () => resolve(undefined))
    probe.listen(port, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' ? (address?.port ?? undefined) : undefined))
    })
  })
}

/**
 * After a reboot the pid in postmaster.pid may belong to some other program of the same user (or, in a container, to a
 * zombie), and PostgreSQL then refuses to start. True when that pid is no server of this data directory.
 */
export async function isForeign(place: Place, { pid }: Postmaster): Promise<boolean> {
  if (process.platform === 'win32') return false
  const command = await readCommand(pid).catch(() => undefined)
  return command !== undefined && !command.includes(dataDirectory(place))
}

const readCommand = async (pid: number): Promise<string> =>
  process.platform === 'linux'
    ? await readFile(`/proc/${pid}/cmdline`, 'utf8')
    : (await promisify(execFile)('ps', ['-ww', '-p', `${pid}`, '-o', 'command='])).stdout

/** Takes a stale postmaster.pid away, and its socket's lock before it; puts it back if a new server has written it meanwhile. */
export async function dropPidFile(place: Place, seen: Postmaster): Promise<void> {
  const file = join(dataDirectory(place), 'postmaster.pid')
  const aside = `${file}.${process.pid}`
  await rm(`${socketFile(place, seen.port)}.lock`, { force: true })
  await rename(file, aside).catch(() => {})
  const moved = await readFile(aside, 'utf8').catch(() => undefined)
  if (moved !== undefined && moved !== seen.text) await link(aside, file).catch(() => {})
  await rm(aside, { force: true })
}

/** Stops the server (fast: open transactions roll back) and waits until it is gone, at most `waitMs`. */
export async function stopServer(place: Place, waitMs = 10_000): Promise<boolean> {
  const found = await readPostmaster(place)
  if (!found || !isAlive(found.pid)) return false
  await interrupt(place, found.pid)
  const deadline = performance.now() + waitMs
  while (performance.now() < deadline && (await readPostmaster(place))?.pid === found.pid) await sleep(10)
  return true
}

/** SIGINT is PostgreSQL's fast shutdown. Windows has no signals: there pg_ctl sends its own kind. */
async function interrupt(place: Place, pid: number): Promise<void> {
  if (process.platform !== 'win32') return void process.kill(pid, 'SIGINT')
  const { bin } = await installBinaries(place.root)
  await promisify(execFile)(join(bin, 'pg_ctl'), ['stop', '-m', 'fast', '-D', dataDirectory(place)])
}
