import { SERVER_INFO_META_KEY, SUBSCRIPTION_ID_META_KEY } from '@modelcontextprotocol/server'
import type { StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import type { CallContext } from '../../core/context.ts'
import type { McpHost } from './host.ts'
import { wantedUris, wantsMore, withUris } from './listen.ts'
import { openAll, type Subscriptions, subscriptions } from './subscriptions.ts'

type Message = Parameters<StdioServerTransport['send']>[0]
type Id = string | number

/**
 * The SDK's stdio entry serves `subscriptions/listen` itself and has no place for an event bus, so this stands between
 * it and the wire: it looks at the resources before the entry sees the request, and tells changes once the entry has
 * acknowledged it. Called after the entry has taken the transport.
 */
export function listenOverStdio(host: McpHost, transport: StdioServerTransport, callerOf: () => Promise<CallContext>) {
  const open = new Map<Id, Subscriptions>()
  const receive = transport.onmessage
  const send = transport.send.bind(transport)
  const stop = (id: Id) => {
    open.get(id)?.stop()
    open.delete(id)
  }

  const listen = async (message: Message & { id: Id }) => {
    const { id } = message
    const tell = (uri: string) => send(updated(id, uri))
    const end = () => {
      stop(id)
      receive?.({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } })
      send(ended(id, host)).catch(() => {}) // the client has gone
    }
    const all = subscriptions(host, tell, end)
    open.set(id, all)
    const { honoured, refused } = await openAll(all, wantedUris(message), await callerOf())
    if (open.get(id) !== all) return all.stop() // cancelled meanwhile
    const [why] = refused
    if (!why || honoured.length > 0 || wantsMore(message)) return receive?.(withUris(message, honoured))
    stop(id)
    const { code, message: text, data } = why
    await send({ jsonrpc: '2.0', id, error: { code, message: text, ...(data !== undefined && { data }) } })
  }

  transport.onmessage = (message) => {
    if (isListen(message) && wantedUris(message).length > 0 && !open.has(message.id)) {
      listen(message).catch(() => receive?.(withUris(message, [])))
      return
    }
    const cancelled = cancelledId(message)
    if (cancelled !== undefined) stop(cancelled)
    receive?.(message)
  }
  transport.send = async (message) => {
    await send(message)
    const id = acknowledgedId(message)
    if (id !== undefined) open.get(id)?.start()
  }
  return { stop: () => [...open.keys()].forEach(stop) }
}

const isListen = (message: Message): message is Message & { id: Id } =>
  'method' in message && message.method === 'subscriptions/listen' && 'id' in message

function cancelledId(message: Message): Id | undefined {
  if (!('method' in message) || message.method !== 'notifications/cancelled') return undefined
  return (message.params as { requestId?: Id } | undefined)?.requestId
}

function acknowledgedId(message: Message): Id | undefined {
  if (!('method' in message) || message.method !== 'notifications/subscriptions/acknowledged') return undefined
  return (message.params?._meta as Record<string, Id> | undefined)?.[SUBSCRIPTION_ID_META_KEY]
}

const updated = (id: Id, uri: string): Message => ({
  jsonrpc: '2.0',
  method: 'notifications/resources/updated',
  params: { uri, _meta: { [SUBSCRIPTION_ID_META_KEY]: id } },
})

const ended = (id: Id, { info }: McpHost): Message => ({
  jsonrpc: '2.0',
  id,
  result: { resultType: 'complete', _meta: { [SUBSCRIPTION_ID_META_KEY]: id, [SERVER_INFO_META_KEY]: info } },
})
