import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { CallContext } from '../../core/context.ts'
import { CommandError, fail } from '../../core/errors.ts'
import { readJsonBodies } from '../../rest/body.ts'
import { restContext } from '../../rest/context.ts'
import { answerError } from '../../rest/errors.ts'
import { refuse } from './answers.ts'
import { classify } from './classify.ts'
import { type McpHost, type McpHostOptions, mcpHost } from './host.ts'
import { serveLegacy } from './legacy.ts'
import { isListen, type ListenStreams, listenStreams } from './listen.ts'
import { modernHandler, serveModern } from './modern.ts'
import { readPlainCall, servePlainCall } from './plain-call.ts'
import { selectionOf } from './request.ts'
import { challengeScope } from './scope.ts'
import { defaultSessionLimits, type SessionLimits, type Sessions, sessionMap } from './sessions.ts'

export { type StdioOptions, type StdioServer, serveMcpStdio } from './stdio.ts'

export interface McpOptions extends McpHostOptions {
  sessions?: Partial<SessionLimits>
}

const minute = 60_000

/** The /mcp endpoint for clients of both protocol eras, as a plugin for the app. */
export function mcpPlugin(options: McpOptions): FastifyPluginAsync {
  return async (app) => {
    const host = mcpHost(options)
    const sessions = sessionMap({ ...defaultSessionLimits, ...options.sessions })
    const modern = modernHandler(host)
    const listening = listenStreams(host)
    const sweeper = setInterval(() => sessions.sweep(), minute).unref()
    app.addHook('preClose', async () => {
      clearInterval(sweeper)
      host.credentials.stop()
      await Promise.all([sessions.close(), modern.close(), listening.close()])
    })
    readJsonBodies(app)
    answerErrors(app)
    const contextOf = restContext(host.services)
    app.route({
      method: ['GET', 'POST', 'DELETE'],
      url: '/mcp',
      onRequest: async (request) => {
        if (!contextOf(request).credential) fail('unauthorized', 'This needs a key: Authorization: Bearer molar_sk_…')
      },
      handler: (request, reply) =>
        serve({ host, sessions, modern, listening }, request, reply, { ...contextOf(request), door: 'mcp' }),
    })
  }
}

interface Endpoint {
  host: McpHost
  sessions: Sessions
  modern: ReturnType<typeof modernHandler>
  listening: ListenStreams
}

async function serve(
  { host, sessions, modern, listening }: Endpoint,
  request: FastifyRequest,
  reply: FastifyReply,
  caller: CallContext,
): Promise<FastifyReply> {
  const tools = host.tools.select(selectionOf(request))
  const plain = readPlainCall(request, tools)
  if (plain) return servePlainCall(host, plain, caller, reply)
  const services = await host.services()
  const principal = await services.authenticate(caller.credential, { org: caller.org })
  if (Array.isArray(request.body))
    return refuse(reply, 400, -32600, 'Bad Request: JSON-RPC batches are not supported; send one message a request')
  challengeScope(host, tools, principal, request.body)
  const era = classify(request)
  if (era.kind === 'modern' && isListen(request))
    return listening.serve(request, reply, { caller, tools, owner: principal.id })
  if (era.kind !== 'legacy') return serveModern(modern, request, reply, { caller, tools })
  return serveLegacy(host, sessions, request, reply, { caller, principal, opens: era.reason === 'initialize' })
}

/** What goes wrong before a message is served: JSON-RPC where the message is at fault, else as on every other route. */
function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const malformed = error instanceof CommandError && error.code === 'malformed_json'
    if (malformed) return refuse(reply, 400, -32700, `Parse error: ${error.message}`)
    if (error.statusCode === 413 || error.statusCode === 415)
      return refuse(reply, error.statusCode, -32000, error.message)
    return answerError(error, request, reply)
  })
}
