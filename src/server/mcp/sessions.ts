import { randomUUID } from 'node:crypto'
import type { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node'
import type { Server } from '@modelcontextprotocol/server'
import type { Subscriptions } from './subscriptions.ts'

/** A connection of a 2025-era client: one server instance from initialize to its end. */
export interface Session {
  transport: NodeStreamableHTTPServerTransport
  /** The id of the credential that opened it, or of the grant that its token came from. Nobody else may use it. */
  owner: string
  /** What its client has subscribed to. */
  listening: Subscriptions
  /** By the clock of the process, which only goes forward: setting the machine's ends no session. */
  lastUsed: number
  /** POSTs under way: a session at work is never dropped. */
  working: number
  /** Streams (GET) that wait for notifications: a session that listens is not idle. */
  streams: number
}

export interface SessionLimits {
  /** Most sessions of this process. */
  max: number
  /** Most sessions of one credential, so that one client in a loop cannot push out all others. */
  maxPerOwner: number
  /** A session unused for this long ends, in milliseconds. */
  idle: number
}

export const defaultSessionLimits: SessionLimits = { max: 1000, maxPerOwner: 100, idle: 30 * 60_000 }

export interface Sessions {
  /** The session with this id if this credential opened it. */
  find(id: string, owner: string): Session | undefined
  /** A new session whose first message is initialize; undefined when every session is at work and none may be dropped. */
  open(owner: string, one: { server: Server; listening: Subscriptions }): Promise<Session | undefined>
  size(): number
  /** Ends what has been idle for too long. */
  sweep(now?: number): void
  close(): Promise<void>
}

export function sessionMap(limits: SessionLimits): Sessions {
  const sessions = new Map<string, Session>()
  const opening = new Set<Session>()
  const all = () => [...sessions.values(), ...opening]
  const end = (session: Session) => void session.transport.close().catch(() => {})

  /** Makes room among `candidates` by ending the one unused for longest; false when all are at work. */
  const makeRoom = (candidates: Session[], most: number): boolean => {
    if (candidates.length < most) return true
    const [oldest] = candidates.filter((one) => one.working === 0).sort((a, b) => a.lastUsed - b.lastUsed)
    if (oldest) end(oldest)
    return oldest !== undefined
  }

  return {
    find(id, owner) {
      const session = sessions.get(id)
      if (session?.owner !== owner) return undefined
      session.lastUsed = performance.now()
      return session
    },
    async open(owner, { server, listening }) {
      // With it come hono and Node's own undici: 80 ms of the processor, which a server without such clients need not spend.
      const { NodeStreamableHTTPServerTransport } = await import('@modelcontextprotocol/node')
      const own = all().filter((one) => one.owner === owner)
      if (!makeRoom(own, limits.maxPerOwner) || !makeRoom(all(), limits.max)) return undefined
      const transport = new NodeStreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (id) => {
          opening.delete(session)
          sessions.set(id, session)
        },
      })
      const session: Session = { transport, owner, listening, lastUsed: performance.now(), working: 0, streams: 0 }
      opening.add(session)
      const before = server.onclose
      server.onclose = () => {
        before?.()
        opening.delete(session)
        if (transport.sessionId !== undefined) sessions.delete(transport.sessionId)
      }
      await server.connect(transport)
      return session
    },
    size: () => sessions.size,
    sweep(now = performance.now()) {
      for (const session of all()) {
        if (session.working + session.streams === 0 && now - session.lastUsed > limits.idle) end(session)
      }
    },
    async close() {
      await Promise.allSettled(all().map((session) => session.transport.close()))
    },
  }
}
