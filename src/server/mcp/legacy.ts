import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CallContext } from '../../core/context.ts'
import type { Principal } from '../../core/principal.ts'
import { refuse } from './answers.ts'
import type { McpHost } from './host.ts'
import { authInfoOf, callerIn, selectionOf } from './request.ts'
import { makeSessionServer } from './server.ts'
import type { Session, Sessions } from './sessions.ts'
import { cutStalled } from './stalled.ts'

const badRequest = -32000
const sessionNotFound = -32001

/**
 * Serves a 2025-era request in its session. A session of another credential answers like one that is not there: its
 * client then starts anew, as the protocol asks.
 */
export async function serveLegacy(
  host: McpHost,
  sessions: Sessions,
  request: FastifyRequest,
  reply: FastifyReply,
  { caller, principal, opens }: { caller: CallContext; principal: Principal; opens: boolean },
): Promise<FastifyReply> {
  const id = request.headers['mcp-session-id']
  if (opens) return open(host, sessions, request, reply, caller, principal)
  if (typeof id !== 'string')
    return refuse(
      reply,
      400,
      badRequest,
      'Bad Request: send initialize first, then its Mcp-Session-Id header with every request',
      messageId(request),
    )
  const session = sessions.find(id, principal.id)
  if (!session)
    return refuse(
      reply,
      404,
      sessionNotFound,
      'Session not found: it has ended. Send initialize again',
      messageId(request),
    )
  if (request.method !== 'GET') return handle(host, session, request, reply, caller)
  // The session lives on: the client may come again with the next token of its grant.
  const end = () => {
    session.listening.lapse()
    session.transport.closeStandaloneSSEStream()
  }
  reply.raw.once('close', host.credentials.watch(caller.credential, end))
  cutStalled(reply, host.patience)
  const handled = handle(host, session, request, reply, caller)
  void session.listening.resume(caller)
  return handled
}

async function open(
  host: McpHost,
  sessions: Sessions,
  request: FastifyRequest,
  reply: FastifyReply,
  caller: CallContext,
  principal: Principal,
) {
  const session = await sessions.open(
    principal.id,
    makeSessionServer(host, host.tools.select(selectionOf(request)), callerIn),
  )
  if (session) return handle(host, session, request, reply, caller)
  return refuse(
    reply.header('retry-after', '5'),
    503,
    badRequest,
    'Too many sessions are at work here. Try again in a moment, or use protocol 2026-07-28, which needs none',
    messageId(request),
  )
}

/** The SDK's transport writes to the raw response; headers that were set before are carried over to it. */
async function handle(
  { log }: McpHost,
  session: Session,
  request: FastifyRequest,
  reply: FastifyReply,
  caller: CallContext,
): Promise<FastifyReply> {
  const kind = request.method === 'GET' ? 'streams' : 'working'
  session[kind]++
  reply.raw.once('close', () => {
    session[kind]--
    session.lastUsed = performance.now()
  })
  reply.hijack()
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) reply.raw.setHeader(name, value)
  }
  const raw = Object.assign(request.raw, { auth: authInfoOf(caller) })
  await session.transport.handleRequest(raw, reply.raw, request.body).catch((error) => {
    log.error({ err: error, request_id: request.id }, 'An MCP session could not serve its request')
    reply.raw.destroy() // nobody else may answer on a hijacked reply
  })
  return reply
}

const messageId = ({ body }: FastifyRequest): unknown => (body as { id?: unknown } | undefined)?.id ?? null
