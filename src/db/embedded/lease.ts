import { existsSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import pg from 'pg'
import { appRole, databaseName, ownerRole } from './cluster.ts'
import { dataDirectory, type Place, socketFile } from './place.ts'

/** Prefix of the application_name of lease connections. */
export const leasePrefix = 'molar:lease:'
// A lease is a shared advisory lock; whoever gets it exclusively knows that nobody else holds one. Per database, so in "postgres".
const lockKey = 5_570_001

/** One process's hold on the server. `lost` resolves when the connection goes. */
export type Lease = { client: pg.Client; port: number; lost: Promise<void> }

/** Takes a lease on the server at `port`; undefined when what answers there is not the server of this place. */
export async function takeLease(place: Place, port: number, applicationName: string): Promise<Lease | undefined> {
  const client = new pg.Client({
    connectionString: leaseUrl(place, port),
    application_name: `${leasePrefix}${applicationName}`.slice(0, 63),
    connectionTimeoutMillis: 5000,
    keepAlive: true,
  })
  client.on('error', () => {}) // 'end' follows
  const lost = new Promise<void>((resolve) => client.on('end', () => resolve()))
  try {
    await client.connect()
    const { rows } = await client.query<{ data_directory: string }>('show data_directory')
    if (rows[0]?.data_directory !== (await realpath(dataDirectory(place)))) throw new Error('another server')
    await client.query('select pg_advisory_lock_shared($1)', [lockKey]) // waits while the last one out is closing
    keepAlive(client, false)
    return { client, port, lost }
  } catch {
    await client.end().catch(() => {})
    return undefined
  }
}

/** Gives the lease up; true when it was the last one, and then no other can be taken until the server has stopped. */
export async function isLastLease({ client }: Lease): Promise<boolean> {
  keepAlive(client, true)
  try {
    await client.query('select pg_advisory_unlock_shared($1)', [lockKey])
    const { rows } = await client.query<{ last: boolean }>('select pg_try_advisory_lock($1) as last', [lockKey])
    return rows[0]?.last === true
  } catch {
    return false
  }
}

// A lease alone must not keep a process from ending; giving it up must. Not in @types/pg.
const keepAlive = (client: pg.Client, on: boolean): void =>
  (client as unknown as { ref(): void; unref(): void })[on ? 'ref' : 'unref']()

const leaseUrl = (place: Place, port: number): string =>
  `postgresql://${ownerRole}:${place.ownerPassword}@127.0.0.1:${port}/postgres`

/**
 * The URLs of the molar database: as its owner, and as the application. By the running server's socket where it has one:
 * that costs a quarter less time than TCP. Whoever does not know `host` as a parameter goes by TCP.
 */
export function urlsOf(place: Place, port: number): { ownerUrl: string; appUrl: string } {
  const bySocket = existsSync(socketFile(place, port)) ? `?host=${encodeURIComponent(dataDirectory(place))}` : ''
  const address = `127.0.0.1:${port}/${databaseName}${bySocket}`
  return {
    ownerUrl: `postgresql://${ownerRole}:${place.ownerPassword}@${address}`,
    appUrl: `postgresql://${appRole}:${place.appPassword}@${address}`,
  }
}
