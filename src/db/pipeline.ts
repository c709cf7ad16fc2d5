import pg from 'pg'
import { connectionConfig } from './connection.ts'
import { isConnectionError } from './errors.ts'
import type { Log } from './log.ts'
import { runSingle, type Settings, type SingleResult } from './single.ts'

/** `run` gives undefined when every connection has a slow statement in front: use a connection of your own then. */
export type Pipeline = {
  run(settings: Settings, text: string, values: unknown[]): Promise<SingleResult> | undefined
  close(): Promise<void>
}

type Lane = { client: Promise<pg.Client> | undefined; sent: Map<number, number> }

// Statements queue behind each other on a connection: one that has run this much longer than the way there and back
// takes must not hold up others.
const slowMs = 50

/** A few connections shared by all single statements; each is opened at first need and replaced when it breaks. */
export function openPipeline(options: {
  url: string
  connections: number
  applicationName: string
  log: Log
}): Pipeline {
  const lanes: Lane[] = Array.from({ length: options.connections }, () => ({ client: undefined, sent: new Map() }))
  /** About what a short statement takes, in milliseconds: mostly the way to the database. */
  let quickest = 0
  let counter = 0
  let closed = false

  function open(lane: Lane): Promise<pg.Client> {
    const client = new pg.Client({ ...connectionConfig(options.url, options.applicationName), pipeline: true })
    const opened = client.connect().then(() => client)
    const forget = (error?: unknown) => {
      if (lane.client !== opened) return
      lane.client = undefined
      if (error) options.log.warn({ error }, 'a pipelined database connection broke')
    }
    client.on('error', forget)
    client.on('end', () => forget())
    opened.catch(forget)
    lane.client = opened
    return opened
  }

  async function runOn(lane: Lane, settings: Settings, text: string, values: unknown[]): Promise<SingleResult> {
    const id = counter++
    const sent = performance.now()
    lane.sent.set(id, sent)
    const opened = lane.client ?? open(lane)
    try {
      const result = await runSingle(await opened, settings, text, values)
      const took = performance.now() - sent
      quickest = took < quickest ? took : quickest + (took - quickest) / 5
      return result
    } catch (error) {
      if (isConnectionError(error) && lane.client === opened) lane.client = undefined // not one that replaced it
      throw error
    } finally {
      lane.sent.delete(id)
    }
  }

  return {
    run(settings, text, values) {
      if (closed) throw new Error('The database was closed')
      const lane = chooseLane(lanes, slowMs + 2 * quickest)
      return lane && runOn(lane, settings, text, values)
    },
    async close() {
      closed = true
      const open = lanes.map((lane) => lane.client)
      await Promise.all(open.map((client) => client?.then((one) => one.end()).catch(() => {})))
    },
  }
}

function chooseLane(lanes: Lane[], patienceMs: number): Lane | undefined {
  const now = performance.now()
  let best: Lane | undefined
  for (const lane of lanes) {
    const oldest = lane.sent.values().next().value
    if (oldest !== undefined && now - oldest > patienceMs) continue
    if (!best || lane.sent.size < best.sent.size) best = lane
  }
  return best
}
