import { realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { fail } from '../core/errors.ts'
import { installBinaries } from './embedded/binaries.ts'
import { ensureCluster } from './embedded/cluster.ts'
import { isAlive } from './embedded/files.ts'
import { isLastLease, type Lease, leasePrefix, takeLease, urlsOf } from './embedded/lease.ts'
import { dataDirectory, hasCluster, makePlace, type Place, readPlace } from './embedded/place.ts'
import {
  dropPidFile,
  isForeign,
  readPostmaster,
  rememberPort,
  type Starting,
  startServer,
  stopServer,
} from './embedded/server.ts'
import type { Log } from './log.ts'

/** `settings` are added to postgres's own, such as `{ fsync: 'off' }` for a cluster of tests. */
export type EmbeddedOptions = { home: string; applicationName: string; log: Log; settings?: Record<string, string> }

/** A server that this process holds on to. `leave` gives it up; the last one out stops it. */
export type Embedded = { ownerUrl: string; appUrl: string; dataDirectory: string; leave(): Promise<void> }

type Holding = { lease: Lease; leaving: boolean }

const attachTimeoutMs = 60_000

/**
 * The machine's own PostgreSQL 18, shared by every process with this home: made, started or joined, as needed.
 * Throws `unavailable` with what to do about it. A process that ends without `leave` leaves the server running.
 */
export async function attachEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const place = await makePlace(options.home)
  const holding: Holding = { lease: await attach(place, options), leaving: false }
  void keep(place, options, holding)
  return {
    ...urlsOf(place, holding.lease.port),
    dataDirectory: dataDirectory(place),
    async leave() {
      if (holding.leaving) return
      holding.leaving = true
      if (await isLastLease(holding.lease)) await stopServer(place)
      await holding.lease.client.end().catch(() => {})
    },
  }
}

/** Joins the running server, or starts it; goes round until one of the two has worked. */
async function attach(place: Place, options: EmbeddedOptions): Promise<Lease> {
  const deadline = performance.now() + attachTimeoutMs
  let starting: Starting | undefined
  for (let failures = 0; performance.now() < deadline; await sleep(8)) {
    const found = await readPostmaster(place)
    if (found && isAlive(found.pid)) {
      const lease = await takeLease(place, found.port, options.applicationName)
      if (lease) return await rememberPort(place, lease.port).then(() => lease)
      if (await isForeign(place, found)) await dropPidFile(place, found)
    } else {
      const failure = await starting?.failed()
      if (failure && ++failures > 3) throw failure
      if (!starting || failure) starting = await start(place, options)
    }
  }
  const log = join(place.root, 'postgres.log')
  return fail('unavailable', `PostgreSQL did not answer within a minute; ${log} says more.`)
}

async function start(place: Place, options: EmbeddedOptions): Promise<Starting> {
  const binaries = await installBinaries(place.root)
  await ensureCluster(place, binaries, options.settings?.fsync !== 'off')
  options.log.debug({ dataDirectory: dataDirectory(place) }, 'starting PostgreSQL')
  return startServer(place, binaries, options.settings ?? {})
}

/** Joins again whenever the server goes, and starts it again unless somebody stopped it on purpose. */
async function keep(place: Place, options: EmbeddedOptions, holding: Holding): Promise<void> {
  for (;;) {
    await holding.lease.lost
    if (holding.leaving) return
    const { port } = holding.lease
    options.log.warn({ port }, 'PostgreSQL went away')
    const lease = await reattach(place, options, holding).catch((error: unknown) => {
      if (!holding.leaving) options.log.error({ error }, 'PostgreSQL could not be started again')
    })
    if (!lease) return
    holding.lease = lease
    if (holding.leaving) return void lease.client.end().catch(() => {})
    if (lease.port === port) options.log.info({ port }, 'PostgreSQL is back')
    else options.log.error({ port, now: lease.port }, 'PostgreSQL is back on another port; restart this process')
  }
}

/** A server that was stopped takes its pid file away, and stays stopped until somebody attaches; a crash leaves the file. */
async function reattach(place: Place, options: EmbeddedOptions, holding: Holding): Promise<Lease | undefined> {
  while (!holding.leaving) {
    const found = await readPostmaster(place)
    if (found && (!isAlive(found.pid) || (await isForeign(place, found)))) {
      // Read again: one that is stopped takes its file away before it ends, perhaps just now.
      if ((await readPostmaster(place))?.pid === found.pid) return attach(place, options)
      continue
    }
    const lease = found && (await takeLease(place, found.port, options.applicationName))
    if (lease) return lease
    await sleep(found ? 20 : 500, undefined, { ref: false })
  }
  return undefined
}

/** What is known of a home's PostgreSQL without starting it. `processes` are the application names that hold it. */
export type EmbeddedStatus =
  | { state: 'absent' }
  | { state: 'stopped'; dataDirectory: string }
  | { state: 'running'; dataDirectory: string; pid: number; port: number; version: string; processes: string[] }

/** Looks at the home's PostgreSQL; starts nothing. */
export async function embeddedStatus(home: string): Promise<EmbeddedStatus> {
  const place = await readPlace(home)
  if (!place || !(await hasCluster(place))) return { state: 'absent' }
  const stopped = { state: 'stopped', dataDirectory: dataDirectory(place) } as const
  const found = await readPostmaster(place)
  if (!found || !isAlive(found.pid)) return stopped
  const client = new pg.Client({ connectionString: urlsOf(place, found.port).ownerUrl, connectionTimeoutMillis: 3000 })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<{ directory: string; version: string; processes: string[] }>(
      `select current_setting('data_directory') as directory, current_setting('server_version') as version,
         array(select application_name from pg_stat_activity where starts_with(application_name, $1)
               order by backend_start) as processes`,
      [leasePrefix],
    )
    const row = rows[0]!
    if (row.directory !== (await realpath(stopped.dataDirectory))) return stopped
    const processes = row.processes.map((name) => name.slice(leasePrefix.length))
    return { ...stopped, state: 'running', pid: found.pid, port: found.port, version: row.version, processes }
  } catch {
    return stopped
  } finally {
    await client.end().catch(() => {})
  }
}

/** Stops the home's PostgreSQL under whoever uses it; false when it was not running. */
export async function stopEmbedded(home: string): Promise<boolean> {
  const place = await readPlace(home)
  if (!place || (await embeddedStatus(home)).state !== 'running') return false
  return stopServer(place)
}

/** Stops the home's PostgreSQL and deletes everything in it, executables too. */
export async function resetEmbedded(home: string): Promise<void> {
  const place = await readPlace(home)
  if (!place) return
  await stopEmbedded(home)
  await rm(place.root, { recursive: true, force: true })
  await rm(join(home, 'postgres.json'), { force: true })
}
