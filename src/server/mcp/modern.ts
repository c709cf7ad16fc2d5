import { createMcpHandler, type McpHttpHandler } from '@modelcontextprotocol/server'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CallContext } from '../../core/context.ts'
import type { ToolSet } from '../../tools/index.ts'
import type { McpHost } from './host.ts'
import { authInfoOf, callerIn, webRequest } from './request.ts'
import { makeServer } from './server.ts'

/** The SDK's handler for the stateless protocol: a server instance a request, SSE only where something comes before the result. */
export function modernHandler(host: McpHost): McpHttpHandler {
  return createMcpHandler(({ authInfo }) => makeServer(host, authInfo?.extra?.tools as ToolSet, callerIn), {
    legacy: 'reject',
    responseMode: 'auto',
    onerror: (error) => host.log.debug({ err: error }, 'An MCP request was refused'),
  })
}

export async function serveModern(
  handler: McpHttpHandler,
  request: FastifyRequest,
  reply: FastifyReply,
  { caller, tools }: { caller: CallContext; tools: ToolSet },
): Promise<FastifyReply> {
  const authInfo = authInfoOf(caller)
  const response = await handler.fetch(webRequest(request, reply), {
    authInfo: { ...authInfo, extra: { ...authInfo.extra, tools } },
    parsedBody: request.body,
  })
  return reply.send(response)
}
