import type { FastifyReply } from 'fastify'

/** How a stream of notifications treats a reader that takes nothing, in milliseconds. */
export interface Patience {
  /** How often the reader is looked at. */
  look: number
  /** How long it may take nothing. */
  stall: number
}

export const patience: Patience = { look: 5000, stall: 30_000 }

/** Cuts a reader that takes nothing: what it should get would pile up here. Stops looking when the stream ends. */
export function cutStalled({ raw }: FastifyReply, { look, stall }: Patience): void {
  let since: number | undefined
  const timer = setInterval(() => {
    since = raw.writableNeedDrain ? (since ?? performance.now()) : undefined
    if (since !== undefined && performance.now() - since >= stall) raw.destroy()
  }, look).unref()
  raw.once('close', () => clearInterval(timer))
}
