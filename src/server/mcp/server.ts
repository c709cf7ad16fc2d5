import { CLIENT_CAPABILITIES_META_KEY, Server, type ServerContext } from '@modelcontextprotocol/server'
import type { CallContext } from '../../core/context.ts'
import { instructions } from '../../core/instructions.ts'
import { readResource } from '../../resources/index.ts'
import { type ToolSet, toldError, writeAnswer } from '../../tools/index.ts'
import { type Calling, callTool } from './calls.ts'
import { complete } from './complete.ts'
import type { McpHost, Own } from './host.ts'
import { getPrompt, promptList } from './prompts.ts'
import { type Subscriptions, subscriptions } from './subscriptions.ts'

/** Molar's questions have no fields, so no answer is held to a schema; the SDK would build a validator a request. */
const noValidator = {
  getValidator(): never {
    throw new Error('Molar sends no elicitation whose answer would need a schema')
  },
}

const minutes = 60_000
const capabilities = { tools: {}, resources: { subscribe: true }, prompts: {}, completions: {} }
const stable = { ttlMs: 5 * minutes, cacheScope: 'private' } as const
/** Lists change with a release only. */
const cacheHints = {
  'tools/list': stable,
  'prompts/list': stable,
  'resources/list': stable,
  'resources/templates/list': stable,
}
/** How long a person may think about a question, in the 2025 era; in the other it is the client that waits. */
const inputRequired = { roundTimeoutMs: 5 * minutes }

/**
 * A server for one request (2026-07-28) or one session (2025 era). It is the SDK's low-level one with answers built
 * beforehand, so that making it costs little. `callerOf` says who sent the request at hand.
 */
export const makeServer = (host: McpHost, tools: ToolSet, callerOf: CallerOf): Server =>
  makeSessionServer(host, tools, callerOf).server

/** The same with what its client has subscribed to, which outlives a credential. */
export function makeSessionServer(
  host: McpHost,
  tools: ToolSet,
  callerOf: CallerOf,
): { server: Server; listening: Subscriptions } {
  const options = { capabilities, instructions, jsonSchemaValidator: noValidator, cacheHints, inputRequired }
  const server = new Server(host.info, options)
  // 2026-07-28 declares them with each request, which only over HTTP has a server of its own.
  const own = ownHandlers(host, tools, callerOf, ({ mcpReq }) => {
    const envelope = mcpReq.envelope as Record<string, unknown> | undefined
    return envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? server.getClientCapabilities()
  })
  server.setRequestHandler('tools/list', () => tools.list)
  server.setRequestHandler('tools/call', own.call)
  server.setRequestHandler('prompts/list', () => promptList)
  server.setRequestHandler('prompts/get', ({ params }) => getPrompt(params.name, params.arguments))
  server.setRequestHandler('resources/list', () => host.resources.list)
  server.setRequestHandler('resources/templates/list', () => host.resources.templates)
  server.setRequestHandler('resources/read', own.read)
  server.setRequestHandler('completion/complete', async (request, context) =>
    complete(host, request, { ...(await callerOf(context)), signal: context.mcpReq.signal }),
  )
  const listening = serveSubscriptions(server, host, callerOf)
  host.extension?.extend(server, own)
  return { server, listening }
}

type CallerOf = (context: ServerContext) => CallContext | Promise<CallContext>

const ownHandlers = (
  host: McpHost,
  tools: ToolSet,
  callerOf: CallerOf,
  capabilities: Calling['capabilities'],
): Own => ({
  tools,
  resources: host.resources,
  call: (request, context) => callTool({ host, tools, callerOf, capabilities }, request, context),
  async read({ params }, context) {
    const caller = { ...(await callerOf(context)), signal: context.mcpReq.signal }
    const publicError = (error: unknown) => toldError(error, caller.requestId, host.log)
    return readResource(host.resources, params.uri, caller, { publicError, write: writeAnswer })
  },
})

/** Of the 2025 era alone: in the other the SDK answers these two with "method not found". */
function serveSubscriptions(server: Server, host: McpHost, callerOf: CallerOf): Subscriptions {
  const listening = subscriptions(host, (uri) => server.sendResourceUpdated({ uri }))
  listening.start()
  server.onclose = () => listening.stop()
  server.setRequestHandler('resources/subscribe', async ({ params }, context) => {
    await listening.add(params.uri, await callerOf(context))
    return {}
  })
  server.setRequestHandler('resources/unsubscribe', ({ params }) => {
    listening.remove(params.uri)
    return {}
  })
  return listening
}
