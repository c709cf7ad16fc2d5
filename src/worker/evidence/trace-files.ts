import { open } from 'node:fs/promises'
import type { BrowserContext } from 'playwright-core'

/** What a Playwright trace is made of, by the names that its files have in a trace.zip. */
export type TraceFiles = Record<string, Uint8Array>

/** A trace that takes more is not kept. */
export const largestTrace = 512 * 2 ** 20

/**
 * Playwright's own protocol, which the public API wraps: `tracing.stop` would zip the files, send the zip here, and zip it
 * once more to add the callers' stacks, of which nothing is kept; we unpack it to look through it, and zip that.
 */
interface TracingChannel {
  tracingStart(options: { snapshotDom: boolean; screencast: boolean }): Promise<unknown>
  tracingStartChunk(options: object): Promise<unknown>
  tracingStopChunk(options: { mode: 'entries' }): Promise<{ entries?: { name: string; value: string }[] }>
}

const channelOf = (context: BrowserContext) => (context.tracing as unknown as { _channel: TracingChannel })._channel

/** Starts to record DOM snapshots; the film is our own. */
export async function startTrace(context: BrowserContext): Promise<void> {
  const channel = channelOf(context)
  // Playwright takes them up in this order: the second need not wait for the first's answer.
  await Promise.all([channel.tracingStart({ snapshotDom: true, screencast: false }), channel.tracingStartChunk({})])
}

/** The trace so far, to be asked for before the context closes. Throws where the browser is gone, or it takes too much. */
export async function stopTrace(context: BrowserContext): Promise<TraceFiles> {
  const { entries } = await channelOf(context).tracingStopChunk({ mode: 'entries' })
  if (!entries) throw new Error('The browser is gone.')
  let left = largestTrace
  const read = async ({ name, value }: { name: string; value: string }): Promise<[string, Uint8Array][]> => {
    const bytes = await readWithin(value, (size) => {
      left -= size
      if (left < 0) throw new Error(`The trace takes more than ${largestTrace} bytes.`)
    })
    return bytes ? [[name, bytes]] : []
  }
  return Object.fromEntries((await Promise.all(entries.map(read))).flat())
}

/** Undefined where there is no such file: a trace of nothing lacks some. */
async function readWithin(path: string, weigh: (size: number) => void): Promise<Buffer | undefined> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  if (!file) return undefined
  try {
    weigh((await file.stat()).size)
    return await file.readFile()
  } finally {
    await file.close()
  }
}
