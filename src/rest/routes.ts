import { fastifySSE } from '@fastify/sse'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Answer, call } from '../core/call.ts'
import type { Command, Route } from '../core/command.ts'
import type { CallContext, RateState } from '../core/context.ts'
import { renderMarked } from '../core/untrusted.ts'
import { aliasesOf, deprecation, type PathAlias } from './aliases.ts'
import { readJsonBodies } from './body.ts'
import { answerError } from './errors.ts'
import { rawInput } from './input.ts'
import { readMultipart } from './multipart.ts'
import { type OpenStream, part, type StreamLimits, streamAnswer, streamLimits } from './stream.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The command behind a route; none on the plain ones. */
    command?: string
    /** A second path of a route, left out of openapi.json. */
    alias?: boolean
    /** It takes a one-shot link's token in its query. */
    signed?: boolean
  }
}

export interface CommandRoutes {
  commands: readonly Command[]
  /** What `call()` is told about a request; `signal` is set here. */
  contextOf(request: FastifyRequest): CallContext
  limits?: Partial<StreamLimits>
  /** Called with 1 when a stream opens and with -1 when it ends. */
  onStream?: (change: 1 | -1) => void
}

/** Every route of every command, and its aliases, in a scope with its own body parser and error handler. */
export function registerCommands(app: FastifyInstance, options: CommandRoutes): void {
  app.register(async (scope) => {
    readJsonBodies(scope)
    await readMultipart(scope, options.commands)
    scope.setErrorHandler(answerError)
    const limits = { ...streamLimits, ...options.limits }
    await scope.register(fastifySSE, { heartbeatInterval: limits.heartbeat })
    const open = new Set<OpenStream>()
    scope.addHook('preClose', async () => {
      for (const stream of open) stream.stop()
    })
    const taken = new Set(options.commands.flatMap((command) => command.routes.map(shapeOf)))
    for (const command of options.commands) {
      for (const route of command.routes) {
        const handler = command.events
          ? streamingHandler(command, route, options, limits, open)
          : plainHandler(command, route, options)
        addRoute(scope, command, route, handler)
        for (const { path, alias } of aliasesOf(route)) {
          const second = { ...route, path }
          if (!taken.has(shapeOf(second))) addRoute(scope, command, second, handler, alias)
        }
      }
    }
  })
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/** `GET /v1/runs/{}`: two routes of one shape would answer the same requests. */
const shapeOf = ({ method, path }: Pick<Route, 'method' | 'path'>) => `${method} ${path.replaceAll(/\{\w+\}/g, '{}')}`

/** `/v1/runs/{id}` in Fastify's spelling. */
const fastifyPath = (path: string): string => path.replaceAll(':', '::').replaceAll(/\{(\w+)\}/g, ':$1')

function addRoute(scope: FastifyInstance, command: Command, route: Route, handler: Handler, alias?: PathAlias): void {
  scope.route({
    method: route.method,
    url: fastifyPath(route.path),
    config: {
      command: command.name,
      alias: alias !== undefined,
      signed: command.access.credentials?.includes('signed') ?? false,
    },
    exposeHeadRoute: !command.events,
    ...(command.events && { sse: 'manual' as const }),
    ...(alias?.sunset !== undefined && {
      onRequest: async (request: FastifyRequest, reply: FastifyReply) =>
        void reply.headers(deprecation(alias, request.url.split('?', 1)[0] ?? '')),
    }),
    handler,
  })
}

function plainHandler(command: Command, route: Route, options: CommandRoutes): Handler {
  return async (request, reply) => {
    const { signal } = abortWhenGone(reply)
    const input = rawInput(command, route, request)
    const answer = await call(command, input, { ...options.contextOf(request), signal, onRate: tellRate(reply) })
    return sendAnswer(command, route, request, reply, answer)
  }
}

function streamingHandler(
  command: Command,
  route: Route,
  options: CommandRoutes,
  limits: StreamLimits,
  open: Set<OpenStream>,
): Handler {
  return async (request, reply) => {
    const accept = request.headers.accept ?? ''
    const asked = accept.includes('text/event-stream')
    const streams = asked || (route.stream && !accept.includes('application/json'))
    const abort = abortWhenGone(reply)
    const resume = streams ? (request.headers['last-event-id'] as string | undefined) : undefined
    const input = rawInput(command, route, request, resume || undefined)
    const context = { ...options.contextOf(request), signal: abort.signal, onRate: tellRate(reply) }
    reply.header('vary', 'Accept')
    if (!streams) return sendAnswer(command, route, request, reply, await call(command, input, context))
    options.onStream?.(1)
    try {
      await streamAnswer({ reply, requestId: request.id, abort, limits, open }, async (emit) =>
        part(await call(command, input, context, emit), route),
      )
    } finally {
      options.onStream?.(-1)
    }
  }
}

/** What is left of the caller's allowance stands in the headers, of refusals too. */
const tellRate =
  (reply: FastifyReply) =>
  ({ limit, remaining, resetSeconds }: RateState) =>
    void reply.headers({ 'ratelimit-limit': limit, 'ratelimit-remaining': remaining, 'ratelimit-reset': resetSeconds })

/** Aborts when the connection closes before the answer is out. */
function abortWhenGone(reply: FastifyReply): AbortController {
  const abort = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) abort.abort()
  })
  return abort
}

/** The answer in the form that the route and the Accept header ask for. */
function sendAnswer(
  command: Command,
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
  answer: Answer,
): unknown {
  const accept = request.headers.accept ?? ''
  if (command.redirect) {
    reply.header('vary', 'Accept')
    if (!accept.includes('application/json')) return reply.redirect(command.redirect(answer), 302)
  }
  if (command.render) {
    reply.header('vary', 'Accept')
    const attached = route.attachment !== undefined && !accept.includes('application/json')
    if (attached || accept.includes('text/markdown')) {
      if (route.attachment !== undefined)
        reply.header('content-disposition', `attachment; filename="${fileName(route.attachment, request)}"`)
      return reply.code(route.status).type('text/markdown; charset=utf-8').send(renderMarked(command, answer))
    }
  }
  return reply.code(route.status).send(route.status === 204 ? undefined : part(answer, route))
}

/** `trace-{id}.md` with the path's own values; nothing in it can end the quoted string. */
function fileName(pattern: string, request: FastifyRequest): string {
  const params = request.params as Record<string, string>
  return pattern.replaceAll(/\{(\w+)\}/g, (_, name: string) => params[name] ?? '').replaceAll(/[^\w.-]/g, '_')
}
