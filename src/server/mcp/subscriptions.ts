import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server'
import type { CallContext } from '../../core/context.ts'
import { openUpdates } from '../../resources/index.ts'
import { toldError } from '../../tools/index.ts'
import { isEnd } from './credentials.ts'
import type { McpHost } from './host.ts'

/** The resources that one client listens to, by URI. */
export interface Subscriptions {
  /** Resolves once no later change can be missed. A ProtocolError says why a URI is refused. Nothing is told before `start`. */
  add(uri: string, caller: CallContext): Promise<void>
  /** Begins to tell: for a client that must be answered first. */
  start(): void
  remove(uri: string): void
  /** Tells nothing more, but remembers what was wanted. A subscription whose credential has ended lapses by itself. */
  lapse(): void
  /** Takes up what has lapsed for a caller with a credential that counts, and tells each, which may have changed meanwhile. */
  resume(caller: CallContext): Promise<void>
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
  /** Those that are aborted have lapsed. */
  const open = new Map<string, AbortController>()
  let start = () => {}
  const started = new Promise<void>((resolve) => {
    start = resolve
  })

  const pump = async (uri: string, updates: AsyncIterable<void>, ending: AbortController, requestId: string) => {
    const { signal } = ending
    try {
      await started
      for await (const _update of updates) {
        if (signal.aborted) return
        await tell(uri)
      }
    } catch (error) {
      if (signal.aborted) return
      if (isEnd(error)) ending.abort()
      else open.delete(uri)
      toldError(error, requestId, host.log) // written down if nobody planned it
      onEnd()
    }
  }

  const add = async (uri: string, caller: CallContext) => {
    if (open.get(uri)?.signal.aborted === false) return
    if (!open.has(uri) && open.size >= mostResources)
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
  }
  const abortAll = () => {
    for (const ending of open.values()) ending.abort()
  }

  return {
    add,
    start,
    lapse: abortAll,
    async resume(caller) {
      for (const [uri, { signal }] of [...open]) {
        if (!signal.aborted) continue
        await add(uri, caller)
          .then(() => tell(uri))
          .catch(() => {}) // it is not theirs to see any more, or the client has gone again
      }
    },
    remove(uri) {
      open.get(uri)?.abort()
      open.delete(uri)
    },
    stop() {
      abortAll()
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
