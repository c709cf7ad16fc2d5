import { join } from 'node:path'
import type { Logger } from 'pino'
import { makeArrive } from '../auth/arrive.ts'
import { makeAuthenticate } from '../auth/authenticate.ts'
import { localSecret } from '../auth/local.ts'
import type { Config } from '../config.ts'
import { fileCheckpoints } from '../core/audit/index.ts'
import { fileBlobs, s3Blobs } from '../core/blobs/index.ts'
import type { Services } from '../core/context.ts'
import { makeEgress } from '../core/egress/index.ts'
import { keyringOf } from '../core/keyring.ts'
import { runNews, runStore } from '../core/runs/index.ts'
import { type InstallationSecrets, openInstallationKeys } from '../core/secrets/index.ts'
import { attachEmbedded, type Database, openDatabase, openQueue, prepareDatabase, type Queue } from '../db/index.ts'
import { leaseRate } from './rate-store.ts'
import { rateLimiter } from './rates.ts'
import { unavailableAsError } from './unavailable.ts'

/** What a process has open; `close` ends it in the order that loses nothing. */
export interface OpenServices extends Services {
  database: Database
  jobs: Queue
  close(): Promise<void>
}

export interface OpenOptions {
  log: Logger
  observe?: Services['observe']
  /** Names this process in the database's list of connections. */
  role?: string
}

/** Opens the database (the embedded one, or DATABASE_URL), brings its schema up to date, and all that stands on it. */
export async function openServices(config: Config, { log, observe, role = 'cli' }: OpenOptions): Promise<OpenServices> {
  const applicationName = `molar ${role} ${process.pid}`
  const place = await findDatabase(config, applicationName, log)
  try {
    await prepareDatabase(place.ownerUrl, {
      log,
      appUser: decodeURIComponent(new URL(place.url).username) || undefined,
    })
    const database = openDatabase({ url: place.url, listenUrl: place.listenUrl, applicationName, log })
    const db = unavailableAsError(database)
    const keys = await openKeys(db, config, log).catch(async (error) => {
      await database.close()
      throw error
    })
    const keyring = keyringOf(keys.generations, keys.refresh)
    const jobs = openQueue({
      database,
      log,
      queues: {
        runs: { retryLimit: 10, expireSeconds: 3600, heartbeatSeconds: 10 },
        outlines: { retryLimit: 1, expireSeconds: 120 },
        mail: { retryLimit: 20, retryBackoff: true, expireSeconds: 60 },
      },
    })
    const live = runNews(
      (channel, onMessage, options) => database.listen(channel, onMessage, options),
      (cursors) => runStore.readTails(db.system, cursors),
    )
    const services: OpenServices = {
      database,
      jobs,
      db,
      queue: {
        async send(name, data, { startAfterSeconds, ...options }) {
          await jobs.send(name, data, {
            ...options,
            ...(startAfterSeconds !== undefined && { startAfter: startAfterSeconds }),
          })
        },
      },
      blobs: config.s3 ? s3Blobs(config.s3) : fileBlobs(join(config.home, 'blobs')),
      live,
      keyring,
      checkpoints: fileCheckpoints(config.checkpoints ?? join(config.home, 'checkpoints')),
      egress: makeEgress(config.egress),
      rates: rateLimiter({ limits: config.rates, lease: (request) => leaseRate(db.system, request) }),
      authenticate: makeAuthenticate({
        db,
        keyring,
        internalToken: config.internalToken,
        publicUrl: () => services.publicUrl,
      }),
      arrive: makeArrive(db, keyring, () => services.publicUrl),
      localSecrets: config.databaseUrl === undefined ? config.localSecrets : {},
      scrubber: async (secrets) => (await import('../worker/scrubber.ts')).makeScrubber(secrets),
      publicUrl: config.publicUrl ?? null,
      settings: config.settings,
      observe: observe ?? (() => {}),
      log,
      async close() {
        keys.close()
        await jobs.stop()
        live.close()
        await database.close()
        await place.leave()
      },
    }
    return services
  } catch (error) {
    await place.leave()
    throw error
  }
}

const openKeys = async (db: Services['db'], config: Config, log: Logger) =>
  openInstallationKeys(db.system, await installationSecrets(config), (error) =>
    log.warn({ err: error }, 'the keys of the installation could not be read again'),
  )

export async function installationSecrets(config: Config): Promise<InstallationSecrets> {
  return { current: config.secret ?? (await localSecret(config.home)), previous: config.previousSecrets }
}

interface Place {
  ownerUrl: string
  url: string
  listenUrl?: string
  leave(): Promise<void>
}

async function findDatabase(config: Config, applicationName: string, log: Logger): Promise<Place> {
  if (config.databaseUrl === undefined) {
    const embedded = await attachEmbedded({ home: config.home, applicationName, log })
    return { ownerUrl: embedded.ownerUrl, url: embedded.appUrl, leave: () => embedded.leave() }
  }
  const { databaseUrl, migrationUrl, listenUrl } = config
  return {
    ownerUrl: migrationUrl ?? databaseUrl,
    url: databaseUrl,
    ...(listenUrl !== undefined && { listenUrl }),
    leave: async () => {},
  }
}
