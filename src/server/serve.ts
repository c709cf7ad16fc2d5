import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import { localOwnerKey } from '../auth/local.ts'
import type { PasswordCost } from '../auth/passwords.ts'
import type { Config } from '../config.ts'
import { commands } from '../core/index.ts'
import { isSameOrigin, restContext } from '../rest/context.ts'
import { type WebOptions, webPages } from '../web/index.ts'
import type { RunningWorker, WorkerOptions } from '../worker/index.ts'
import { buildApp } from './app.ts'
import { blobRoutes } from './blobs.ts'
import { exportRoutes } from './exports.ts'
import type { Checks } from './health.ts'
import { openMail } from './mail/transport.ts'
import { deliverMail } from './mail/work.ts'
import { mcpPlugin } from './mcp/index.ts'
import { makeMetrics } from './metrics.ts'
import { oauthServer } from './oauth.ts'
import { oldAuthPaths } from './old-auth-paths.ts'
import { type OpenServices, openServices } from './services.ts'
import { keepTidy } from './tidy.ts'
import { keepDelivering } from './usage.ts'

export interface ServeOptions {
  log: Logger
  version: string
  /** What storing a password costs, where the default is not meant: a test signs in dozens of times. No setting, so that no installation is weaker. */
  passwordCost?: PasswordCost
  /** Where the worker's browser comes from, if it is not to start one: the servers of a test's process share one. */
  openBrowser?: WorkerOptions['openBrowser']
}

export interface RunningServer {
  url: string
  /** Ends streams, finishes requests (8 s) and runs (7 s) under way, gives the rest back, and closes the database. */
  close(): Promise<void>
}

/** MCP, REST and, unless the configuration says 0 workers, a worker, in this process. */
export async function serve(
  config: Config,
  { log, version, passwordCost, openBrowser }: ServeOptions,
): Promise<RunningServer> {
  const metrics = makeMetrics()
  const services = await openServices(config, { log, observe: metrics.observe, role: 'serve' })
  let worker: RunningWorker | undefined
  try {
    await localOwnerKey(config.home, services.db, services.keyring)
    // Heavy, and nothing for a server that only answers.
    if (config.workers !== 0)
      worker = await (await import('../worker/index.ts')).startWorker(services, config, { openBrowser })
    const opened = async () => services
    await deliverMail(services.jobs, services.keyring, openMail({ ...config, from: config.mailFrom, log }), log)
    // Its address is known once it listens.
    const people = once(async () => {
      const { makePeople } = await import('../auth/people.ts')
      const origin = new URL(services.publicUrl!).origin
      return makePeople({ services, origin, providers: config.providers, passwordCost })
    })
    const web: WebOptions = { services: opened, people, contextOf: restContext(opened), isSameOrigin }
    const oauth = config.oauth ? oauthServer(web, () => services.publicUrl ?? '') : undefined
    const app = await buildApp({
      services: opened,
      commands,
      config: {
        host: config.host,
        publicUrl: config.publicUrl ?? null,
        allowedHosts: config.allowedHosts,
        allowedOrigins: config.allowedOrigins,
        ...(config.trustedProxies.length > 0 && { trustProxy: config.trustedProxies }),
      },
      version,
      checks: readiness(services, worker),
      metrics,
      log,
      plugins: [
        mcpPlugin({ services: opened, commands, version, log }),
        blobRoutes(opened),
        exportRoutes(opened),
        webPages({ ...web, oauth: oauth?.provider }),
        oldAuthPaths,
        ...(oauth ? [oauth.plugin] : []),
      ],
      oauthResource: oauth?.resource,
    })
    await app.listen({ host: config.host, port: config.port })
    const { port } = app.server.address() as AddressInfo
    const url = config.publicUrl ?? `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`
    services.publicUrl = url
    const endTidying = keepTidy(services, config)
    const endDelivering = keepDelivering(services, config)
    return {
      url,
      async close() {
        await Promise.all([app.close(), worker?.stop()]) // each has its own time
        await Promise.all([endTidying(), endDelivering()])
        await services.close()
      },
    }
  } catch (error) {
    await worker?.stop()
    await services.close()
    throw error
  }
}

function once<Made>(make: () => Promise<Made>): () => Promise<Made> {
  let made: Promise<Made> | undefined
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined // the next one tries again
      throw error
    })
    return made
  }
}

function readiness({ database, blobs }: OpenServices, worker: RunningWorker | undefined): Checks {
  return {
    database: async () => {
      await database.system.query('select 1')
      return { ok: true }
    },
    queue: async () => {
      await database.system.query('select name from pgboss.queue limit 1')
      return { ok: true }
    },
    blobs: async () => {
      await blobs.check()
      return { ok: true }
    },
    ...(worker && {
      browser: async () => {
        const { ready, mend } = await worker.browser()
        return { ok: ready, ...(!ready && mend !== undefined && { message: mend }) }
      },
    }),
  }
}
