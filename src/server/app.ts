import { randomUUID } from 'node:crypto'
import {
  type FastifyBaseLogger,
  type FastifyHttpOptions,
  type FastifyInstance,
  type FastifyPluginAsync,
  fastify,
  LogController,
  type RawServerDefault,
} from 'fastify'
import type { Logger } from 'pino'
import type { Command } from '../core/command.ts'
import type { Services } from '../core/context.ts'
import { readJsonBodies } from '../rest/body.ts'
import { restContext } from '../rest/context.ts'
import { answerError } from '../rest/errors.ts'
import { registerCommands } from '../rest/routes.ts'
import type { StreamLimits } from '../rest/stream.ts'
import { registerDescriptions } from './descriptions.ts'
import { addCors, addHeaders, securityHeaders } from './headers.ts'
import { type Checks, registerHealth } from './health.ts'
import { checkHosts, type HostRules } from './hosts.ts'
import { registerNotFound } from './known-routes.ts'
import { makeLogger } from './log.ts'
import { type Metrics, makeMetrics } from './metrics.ts'
import { answerBrokenRequest } from './socket-errors.ts'
import { stopGently } from './stop.ts'

export interface AppConfig extends HostRules {
  /** Largest body of a command, in bytes; 4 MiB unless told. A plugin's route sets its own. */
  bodyLimit?: number
  /** Proxies whose X-Forwarded-For counts: addresses or CIDR ranges, or all. None unless told. */
  trustProxy?: string[] | boolean
  /** How long a stop waits for what is under way, in milliseconds; 8 s unless told, so that all is over within 10. */
  drain?: number
  streams?: Partial<StreamLimits>
}

export interface AppOptions {
  /** Opened at the first call that needs them. */
  services: () => Promise<Services>
  commands: readonly Command[]
  config: AppConfig
  version: string
  checks?: Checks
  /** `observe` of these belongs into the services, so that the calls of every door are counted. */
  metrics?: Metrics
  log?: Logger
  /** What a challenge tells an app; nothing without an OAuth server. */
  oauthResource?: FastifyInstance['oauthResource']
  /** What no command can be: /mcp, blobs, webhooks, OAuth, pages. They may bring body parsers of their own. */
  plugins?: readonly FastifyPluginAsync[]
}

/** The HTTP server, not yet listening. `app.close()` ends streams, finishes what is under way, and cuts the rest. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { commands, config, version, services } = options
  const metrics = options.metrics ?? makeMetrics()
  const app = fastify(httpOptions(options))
  app.setErrorHandler(answerError)
  app.decorate('oauthResource', options.oauthResource)
  addHeaders(app, config.publicUrl)
  checkHosts(app, config)
  addCors(app, config.allowedOrigins)
  logRequests(app)
  registerNotFound(app)
  readJsonBodies(app)
  registerHealth(app, { checks: options.checks ?? {}, version })
  app.get('/metrics', async (_request, reply) => {
    const { contentType, text } = await metrics.scrape()
    return reply.type(contentType).send(text)
  })
  registerDescriptions(app, {
    commands,
    version,
    publicUrl: config.publicUrl,
    oauth: options.oauthResource !== undefined,
  })
  registerCommands(app, {
    commands,
    contextOf: restContext(services),
    onStream: metrics.stream,
    ...(config.streams && { limits: config.streams }),
  })
  for (const plugin of options.plugins ?? []) app.register(plugin)
  stopGently(app, config.drain ?? 8000)
  await app.ready()
  return app
}

function httpOptions({ config, log }: AppOptions): FastifyHttpOptions<RawServerDefault> {
  return {
    loggerInstance: (log ?? makeLogger('info')) as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    requestIdHeader: false,
    genReqId: (request) => requestId(request.headers['x-request-id']),
    requestTimeout: 10_000,
    http: { headersTimeout: 5000, connectionsCheckingInterval: 1000 },
    keepAliveTimeout: 72_000,
    bodyLimit: config.bodyLimit ?? 4 << 20,
    trustProxy: config.trustProxy ?? false,
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    routerOptions: { maxParamLength: 256, ignoreTrailingSlash: false },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    // A broken URL never gets as far as the hooks that set these.
    frameworkErrors: (error, request, reply) =>
      answerError(error, request, reply.headers({ ...securityHeaders(config.publicUrl), 'x-request-id': request.id })),
    clientErrorHandler: answerBrokenRequest,
  }
}

/** What comes in and goes out is checked by zod, so ajv and fast-json-stringify, a hundred modules, need not be loaded. */
function noSchemas(): never {
  throw new Error('Routes have no JSON Schema of fastify’s')
}

/** The caller's own id where it is harmless in a log and a header, else a new one. */
function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID()
}

/** One line a request. Without the query: signed links have their signature in it. */
function logRequests(app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    const path = request.url.split('?', 1)[0]
    const facts = { request_id: request.id, method: request.method, path, status: reply.statusCode }
    request.log.info({ ...facts, milliseconds: Math.round(reply.elapsedTime) }, 'request')
    done()
  })
}
