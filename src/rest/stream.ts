import type { FastifyReply } from 'fastify'
import type { Answer } from '../core/call.ts'
import type { Emit, Route } from '../core/command.ts'
import { CommandError, errorBody, publicError } from '../core/errors.ts'

/** How a stream treats its reader. Milliseconds and bytes. */
export interface StreamLimits {
  /** A comment line now and then keeps proxies from closing a quiet stream. */
  heartbeat: number
  /** How long a reader may take nothing before it is cut. */
  stall: number
  /** Most that waits in memory for one reader. */
  buffer: number
  /** Errors that come before this are answered with their own status; after it the stream has begun. */
  commit: number
}

export const streamLimits: StreamLimits = { heartbeat: 15_000, stall: 30_000, buffer: 4 << 20, commit: 250 }

/** A stream under way, as the server sees it when it stops. */
export interface OpenStream {
  stop(): void
}

export interface StreamOptions {
  reply: FastifyReply
  requestId: string
  abort: AbortController
  limits: StreamLimits
  open: Set<OpenStream>
}

/**
 * Carries a command's events as server-sent events: `data: {json}`, with `id:` where the event has an `id` or `seq`,
 * then the answer as `event: result` or the failure as `event: error`. What fails before the first byte is thrown.
 */
export async function streamAnswer(
  options: StreamOptions,
  run: (emit: Emit<unknown>) => Promise<unknown>,
): Promise<void> {
  const { reply, abort, limits, open } = options
  const { sse } = reply
  const begin = setTimeout(() => {
    if (!sse.isConnected) return
    sse.sendHeaders()
    reply.raw.flushHeaders() // or the head waits for the first event
  }, limits.commit)
  const stream: OpenStream = { stop: () => end(options, stopping) }
  const send = makeSend(options)
  open.add(stream)
  try {
    const answer = await run((event) => send(frameOf(event)))
    if (!abort.signal.aborted) await send(namedFrame('result', answer))
  } catch (error) {
    if (abort.signal.aborted) return
    if (!reply.raw.headersSent) throw error
    const seen = publicError(error, options.requestId)
    if (seen.code === 'internal') reply.log.error({ err: error, request_id: options.requestId }, 'stream failed')
    await send(namedFrame('error', errorBody(seen)))?.catch(() => {})
  } finally {
    clearTimeout(begin)
    open.delete(stream)
  }
}

const stopping = new CommandError(
  'unavailable',
  'The server is stopping. Connect again; with Last-Event-ID it goes on where it was.',
  {
    details: { retry_after_seconds: 1 },
  },
)

/** Ends a stream from this side. The reader gets a reason if it can take one. */
function end({ reply, abort }: StreamOptions, reason: CommandError): void {
  if (reply.sse.isConnected) reply.sse.send({ event: 'error', data: errorBody(reason) }).catch(() => {})
  reply.sse.close()
  abort.abort(reason)
}

const namedFrame = (event: string, data: unknown): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`

const frames = new WeakMap<object, string>()

/** An event as it goes over the wire, made once: all readers of a run share its events. */
function frameOf(event: unknown): string {
  const known = frames.get(event as object)
  if (known !== undefined) return known
  const id = eventId(event)
  const frame = `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(event)}\n\n`
  if (typeof event === 'object' && event !== null) frames.set(event, frame)
  return frame
}

/** What is gathered before it is written though the caller has not paused. */
const mostGathered = 64 << 10

/**
 * Writes frames. Those sent in one go leave in one write; it answers a promise only while the reader has not taken what
 * is buffered. A reader that takes nothing is cut.
 */
function makeSend({ reply, abort, limits }: StreamOptions): (frame: string) => Promise<void> | void {
  const { raw, sse } = reply
  let gathered = ''
  const write = () => {
    if (gathered === '' || !sse.isConnected) return
    sse.sendHeaders()
    raw.write(gathered)
    gathered = ''
  }
  return (frame) => {
    if (abort.signal.aborted || !sse.isConnected) throw gone()
    if (raw.writableLength > limits.buffer) cut(reply, abort)
    if (gathered === '') queueMicrotask(write)
    gathered += frame
    if (gathered.length > mostGathered) write()
    if (raw.writableNeedDrain) return drained(reply, abort, limits.stall)
  }
}

/** Once the reader has taken what is buffered. `drain` never comes when it has gone. */
function drained(reply: FastifyReply, abort: AbortController, stall: number): Promise<void> {
  const { raw } = reply
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      clearTimeout(timer)
      raw.off('drain', onDrain)
      abort.signal.removeEventListener('abort', onAbort)
      finish()
    }
    const onDrain = () => settle(resolve)
    const onAbort = () => settle(() => reject(gone()))
    const timer = setTimeout(() => {
      settle(() => reject(gone()))
      destroy(reply, abort)
    }, stall)
    raw.once('drain', onDrain)
    abort.signal.addEventListener('abort', onAbort, { once: true })
  })
}

function cut(reply: FastifyReply, abort: AbortController): never {
  destroy(reply, abort)
  throw gone()
}

function destroy(reply: FastifyReply, abort: AbortController): void {
  reply.log.info({ buffered: reply.raw.writableLength }, 'stream cut: its reader takes nothing')
  reply.raw.destroy()
  abort.abort()
}

const gone = () => new CommandError('cancelled', 'The reader has gone.')

/** One line: a line break in an id would let an event write fields of its own. */
function eventId(event: unknown): string | undefined {
  const { id, seq } = (event ?? {}) as { id?: unknown; seq?: unknown }
  const given = id ?? seq
  return typeof given === 'string' || typeof given === 'number' ? String(given).replaceAll(/[\r\n\0]/g, '') : undefined
}

/** The answer in the shape that this route sends it: whole, one field of it, or a list under the contract's name. */
export function part(answer: Answer, { unwrap, envelope }: Pick<Route, 'unwrap' | 'envelope'>): unknown {
  if (unwrap !== undefined) return answer[unwrap]
  if (!envelope) return answer
  const { items, ...rest } = answer
  return { [envelope.items]: items, ...(envelope.count && { count: (items as unknown[]).length }), ...rest }
}
