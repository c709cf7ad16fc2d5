import {
  createMcpHandler,
  type McpHttpHandler,
  type ServerEvent,
  type ServerEventBus,
} from '@modelcontextprotocol/server'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CallContext } from '../../core/context.ts'
import type { ToolSet } from '../../tools/index.ts'
import { refuse } from './answers.ts'
import type { McpHost } from './host.ts'
import { authInfoOf, callerIn, webRequest } from './request.ts'
import { makeServer } from './server.ts'
import { cutStalled } from './stalled.ts'
import { openAll, type Subscriptions, subscriptions } from './subscriptions.ts'

/** Most open streams of a process, and of one credential, so that one client in a loop leaves room for others. */
const mostStreams = 1000
const mostOfOne = 100
export interface ListenStreams {
  serve(request: FastifyRequest, reply: FastifyReply, asked: Asked): Promise<FastifyReply>
  close(): Promise<void>
}

interface Asked {
  caller: CallContext
  tools: ToolSet
  /** Who asks: streams are counted by it. */
  owner: string
}

/** Whether this is the request that opens a stream of notifications (2026-07-28). */
export const isListen = ({ body }: FastifyRequest): boolean =>
  (body as { method?: unknown } | undefined)?.method === 'subscriptions/listen'

/**
 * `subscriptions/listen`. Each stream has an SDK handler and an event bus of its own, fed by what its caller may see:
 * nothing of anybody else's can reach it, and it is closed by itself when its credential ends.
 */
export function listenStreams(host: McpHost): ListenStreams {
  const open = new Map<McpHttpHandler, string>()
  const isFull = (owner: string) =>
    open.size >= mostStreams || [...open.values()].filter((one) => one === owner).length >= mostOfOne
  return {
    async serve(request, reply, { caller, tools, owner }) {
      const { id } = request.body as { id?: unknown }
      if (isFull(owner)) return refuse(reply, 200, -32603, 'Subscription limit reached', id)
      const end = () => void handler.close()
      let publish: (event: ServerEvent) => void = () => {}
      const all = subscriptions(host, async (uri) => publish({ kind: 'resource_updated', uri }), end)
      const handler = createMcpHandler(() => makeServer(host, tools, callerIn), {
        legacy: 'reject',
        bus: busOf(host, all, (listener) => {
          publish = listener
        }),
        onerror: (error) => host.log.debug({ err: error }, 'An MCP subscription was refused'),
      })
      open.set(handler, owner)
      const unwatch = host.credentials.watch(caller.credential, end)
      cutStalled(reply, host.patience)
      reply.raw.once('close', () => {
        unwatch()
        all.stop()
        open.delete(handler)
      })
      const { honoured, refused } = await openAll(all, wantedUris(request.body), caller)
      const [why] = refused
      if (why && honoured.length === 0 && !wantsMore(request.body))
        return refuse(reply, 200, why.code, why.message, id, why.data)
      const response = await handler.fetch(webRequest(request, reply), {
        authInfo: authInfoOf(caller),
        parsedBody: withUris(request.body, honoured),
      })
      return reply.send(response)
    },
    async close() {
      await Promise.all([...open.keys()].map((handler) => handler.close()))
    },
  }
}

/** The SDK subscribes once it has acknowledged the request: from then on changes are told. */
function busOf(
  host: McpHost,
  all: Subscriptions,
  onListener: (listener: (event: ServerEvent) => void) => void,
): ServerEventBus {
  return {
    publish: () => {},
    subscribe(listener) {
      onListener(listener)
      all.start()
      const stop = host.extension?.bus.subscribe(listener)
      return () => {
        stop?.()
        all.stop()
      }
    },
  }
}

type Filter = Record<string, unknown> & { resourceSubscriptions?: unknown }
const filterOf = (message: unknown): Filter =>
  ((message as { params?: { notifications?: Filter } } | undefined)?.params?.notifications ?? {}) as Filter

/** The resources that a listen message names. What is malformed is left to the SDK to refuse. */
export function wantedUris(message: unknown): string[] {
  const { resourceSubscriptions } = filterOf(message)
  return Array.isArray(resourceSubscriptions) ? resourceSubscriptions.filter((uri) => typeof uri === 'string') : []
}

/** Whether it asks for other notifications too. */
export const wantsMore = (message: unknown): boolean => Object.values(filterOf(message)).some((value) => value === true)

/** The message with only these resources in it: the acknowledgement then names what will be told. */
export function withUris<Message>(message: Message, uris: readonly string[]): Message {
  if (!Array.isArray(filterOf(message).resourceSubscriptions)) return message
  const { params } = message as { params: object }
  return { ...message, params: { ...params, notifications: { ...filterOf(message), resourceSubscriptions: uris } } }
}
