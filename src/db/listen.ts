import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { connectionConfig } from './connection.ts'
import type { Log } from './log.ts'

/** `onReady` runs when listening has begun, and again after each reconnect: what came before may have been missed. */
export type ListenOptions = { onReady?: () => void }

type Subscription = { handler: (payload: string) => void; onReady: (() => void) | undefined }

export type Listener = {
  listen(channel: string, handler: (payload: string) => void, options?: ListenOptions): () => void
  close(): Promise<void>
}

const pingEveryMs = 15_000
const pingTimeoutMs = 5000

/** One connection that LISTENs for everyone in the process; opened by the first subscription, reopened when it breaks. */
export function openListener(options: { url: string; applicationName: string; log: Log }): Listener {
  const channels = new Map<string, Set<Subscription>>()
  let client: pg.Client | undefined
  let running = false
  let closed = false
  const ending = new AbortController()

  const each = (subscriptions: Iterable<Subscription>, call: (one: Subscription) => void): void => {
    for (const one of [...subscriptions]) {
      try {
        call(one)
      } catch (error) {
        options.log.error({ error }, 'a subscriber failed') // one subscriber's fault is not the others'
      }
    }
  }

  async function begin(channel: string): Promise<void> {
    const on = client
    if (!on) return
    await on.query(`listen ${pg.escapeIdentifier(channel)}`)
    if (on === client) each(channels.get(channel) ?? [], (one) => one.onReady?.())
  }

  /** Holds one connection until it breaks. */
  async function connect(): Promise<void> {
    const fresh = new pg.Client({
      ...connectionConfig(options.url, `${options.applicationName}:listen`),
      pipeline: true,
    })
    const ended = new Promise<void>((resolve) => fresh.once('end', resolve))
    fresh.on('error', (error) => options.log.warn({ error }, 'the LISTEN connection broke'))
    fresh.on('notification', ({ channel, payload }) => {
      each(channels.get(channel) ?? [], (one) => one.handler(payload ?? ''))
    })
    try {
      await fresh.connect()
      client = fresh
      await Promise.all([...channels.keys()].map(begin))
      while (await isAnswering(fresh, ended));
    } finally {
      client = undefined
      await fresh.end().catch(() => {})
    }
  }

  /** A laptop that slept or a dropped route leaves a connection that is dead without an error: ask it. */
  async function isAnswering(on: pg.Client, ended: Promise<void>): Promise<boolean> {
    const timer = new AbortController()
    const pause = (ms: number) => sleep(ms, true, { signal: timer.signal, ref: false }).catch(() => false)
    try {
      const lost = ended.then(() => false)
      if (!(await Promise.race([lost, pause(pingEveryMs)]))) return false
      const answer = on.query('select 1').then(
        () => true,
        () => false,
      )
      return await Promise.race([answer, pause(pingTimeoutMs).then(() => false)])
    } finally {
      timer.abort()
    }
  }

  async function run(): Promise<void> {
    for (let failures = 0; !closed && channels.size > 0; failures++) {
      const started = performance.now()
      await connect().catch((error: unknown) => options.log.debug({ error }, 'LISTEN could not connect'))
      if (performance.now() - started > 5000) failures = 0
      if (!closed) await sleep(Math.min(2000, 50 * 2 ** failures), undefined, { signal: ending.signal }).catch(() => {})
    }
    running = false
  }

  return {
    listen(channel, handler, { onReady } = {}) {
      const subscription = { handler, onReady }
      const known = channels.get(channel)
      if (known) known.add(subscription)
      else channels.set(channel, new Set([subscription]))
      if (!running && !closed) {
        running = true
        void run()
      } else if (client) {
        begin(channel).catch(() => {}) // a broken connection is replaced, and listens to this channel then
      }
      return () => {
        const all = channels.get(channel)
        if (!all?.delete(subscription) || all.size > 0) return
        channels.delete(channel)
        client?.query(`unlisten ${pg.escapeIdentifier(channel)}`).catch(() => {})
      }
    },
    async close() {
      closed = true
      channels.clear()
      ending.abort()
      await client?.end().catch(() => {})
    },
  }
}
