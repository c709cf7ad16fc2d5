import type { AuthInfo, ServerContext } from '@modelcontextprotocol/server'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CallContext } from '../../core/context.ts'
import { readToolsets, type Selection } from '../../tools/index.ts'

/** `?toolsets=a,b&read_only=true`, or the headers X-MCP-Toolsets and X-MCP-Readonly; the query wins. */
export function selectionOf(request: FastifyRequest): Selection {
  const query = request.query as Record<string, string | string[] | undefined>
  const toolsets = readToolsets([query.toolsets ?? request.headers['x-mcp-toolsets'] ?? []].flat().join(','))
  const readOnly = [query.read_only ?? request.headers['x-mcp-readonly']].flat().at(-1)
  return { toolsets, readOnly: readOnly !== undefined && !off.has(readOnly.toLowerCase()) }
}

/** Whoever names read-only mode at all means it, however they spell "yes". */
const off = new Set(['false', '0', 'no', 'off'])

/** The SDK carries this through to handlers untouched; it is how a handler knows whose request it serves. */
export const authInfoOf = (caller: CallContext): AuthInfo => ({
  token: caller.credential?.token ?? '',
  clientId: '',
  scopes: [],
  extra: { caller },
})

/** The caller that `authInfoOf` put in. */
export function callerIn(context: ServerContext): CallContext {
  const caller = context.http?.authInfo?.extra?.caller
  if (!caller) throw new Error('An MCP request came without its caller')
  return caller as CallContext
}

/** Aborts when the client goes away before its answer is whole. */
export function goneSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort()
  })
  return controller.signal
}

/** The request as the SDK's handler takes it; it aborts when the client goes away. */
export const webRequest = (request: FastifyRequest, reply: FastifyReply): Request =>
  new Request(`http://molar.invalid${request.url}`, {
    method: request.method,
    headers: webHeaders(request),
    signal: goneSignal(reply),
  })

function webHeaders(request: FastifyRequest): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, [value].flat().join(', '))
  }
  return headers
}
