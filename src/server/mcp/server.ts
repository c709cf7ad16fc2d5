import { ProtocolError, ProtocolErrorCode, Server, type ServerContext } from '@modelcontextprotocol/server'
import type { CallContext } from '../../core/context.ts'
import { readResource } from '../../resources/index.ts'
import { prefaceOf, runTool, type ToolSet, toldError } from '../../tools/index.ts'
import type { McpHost } from './host.ts'
import { instructions } from './instructions.ts'

/** The server asks clients for nothing, so it never checks an answer of theirs; the SDK would build a validator a request. */
const noValidator = {
  getValidator(): never {
    throw new Error('Molar sends no elicitation whose answer would need a schema')
  },
}

const minutes = 60_000
const capabilities = { tools: {}, resources: {} }
/** Lists change with a release only. */
const cacheHints = {
  'tools/list': { ttlMs: 5 * minutes, cacheScope: 'private' },
  'resources/list': { ttlMs: 5 * minutes, cacheScope: 'private' },
  'resources/templates/list': { ttlMs: 5 * minutes, cacheScope: 'private' },
} as const

/**
 * A server for one request (2026-07-28) or one session (2025 era). It is the SDK's low-level one with answers built
 * beforehand, so that making it costs little. `callerOf` says who sent the request at hand.
 */
export function makeServer(
  host: McpHost,
  tools: ToolSet,
  callerOf: (context: ServerContext) => CallContext | Promise<CallContext>,
): Server {
  const server = new Server(host.info, { capabilities, instructions, jsonSchemaValidator: noValidator, cacheHints })
  server.setRequestHandler('tools/list', () => tools.list)
  server.setRequestHandler('tools/call', async ({ params }, context) => {
    const command = tools.find(params.name)
    if (!command) throw new ProtocolError(ProtocolErrorCode.InvalidParams, tools.explainMissing(params.name))
    const request = { arguments: params.arguments, meta: context.mcpReq._meta, progress: progressOf(context) }
    return runTool(command, request, { ...(await callerOf(context)), signal: context.mcpReq.signal }, host.log)
  })
  server.setRequestHandler('resources/list', () => host.resources.list)
  server.setRequestHandler('resources/templates/list', () => host.resources.templates)
  server.setRequestHandler('resources/read', async ({ params }, context) => {
    const caller = await callerOf(context)
    return readResource(
      host.resources,
      params.uri,
      { ...caller, signal: context.mcpReq.signal },
      {
        publicError: (error) => toldError(error, caller.requestId, host.log),
        preface: prefaceOf,
      },
    )
  })
  return server
}

function progressOf({ mcpReq }: ServerContext) {
  const progressToken = mcpReq._meta?.progressToken
  if (progressToken === undefined) return undefined
  return (progress: number, message: string) =>
    mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, message } })
}
