import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server'
import type { CallContext } from '../../core/context.ts'
import { openUpdates } from '../../resources/index.ts'
import { toldError } from '../../tools/index.ts'
import type { McpHost } from './host.ts'

/** The resources that one client listens to, by URI. */
export interface Subscriptions {
  /** Resolves once no later change can be missed. A ProtocolError says why a URI is refused. Nothing is told before `start`. */
  add(uri: string, caller: CallContext): Promise<void>
  /** Begins to tell: for a client that must be answered first. */
  start(): void
  remove(uri: string): void
  /** Ends all of them. */
  stop(): void
}

/** Most resources of one stream or session. */
const mostResources = 100

/**
 * `tell` is called for each change, one after the other; while it waits the changes do too. `onEnd` is called when a
 * subscription ends because its caller may not see the resource any more.
 */
export function subscriptions(
  host: McpHost,
  tell: (uri: string) => Promise<void>,
  onEnd: () => void = () => {},
): Subscriptions {
  const open = new Map<string, AbortController>()
  let start = () => {}
  const started = new Promise<void>((resolve) => {
    start = resolve
  })

  const pump = async (uri: string, updates: AsyncIterable<void>, { signal }: AbortController, requestId: string) => {
    try {
      await started
      for await (const _update of updates) {
        if (signal.aborted) return
        await tell(uri)
      }
    } catch (error) {
      if (signal.aborted) return
      open.delete(uri)
      toldError(error, requestId, host.log) // written down if nobody planned it
      onEnd()
    }
  }

  return {
    async add(uri, caller) {
      if (open.has(uri)) return
      if (open.size >= mostResources)
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, `At most ${mostResources} resources at a time.`)
      const ending = new AbortController()
      open.set(uri, ending)
      try {
        const publicError = (error: unknown) => toldError(error, caller.requestId, host.log)
        const updates = await openUpdates(host.resources, uri, { ...caller, signal: ending.signal }, { publicError })
        void pump(uri, updates, ending, caller.requestId)
      } catch (error) {
        open.delete(uri)
        throw error
      }
    },
    start,
    remove(uri) {
      open.get(uri)?.abort()
      open.delete(uri)
    },
    stop() {
      for (const ending of open.values()) ending.abort()
      open.clear()
      start()
    },
  }
}

/** The URIs of a `subscriptions/listen` message that may be promised; those that may not come with their reason. */
export async function openAll(all: Subscriptions, uris: readonly string[], caller: CallContext) {
  const refused: ProtocolError[] = []
  const honoured: string[] = []
  for (const uri of new Set(uris)) {
    try {
      await all.add(uri, caller)
      honoured.push(uri)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      refused.push(error)
    }
  }
  return { honoured, refused }
}
