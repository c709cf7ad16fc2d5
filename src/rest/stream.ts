import type { FastifyReply } from 'fastify'
import type { Answer } from '../core/call.ts'
import type { Emit } from '../core/command.ts'
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
  const begin = setTimeout(() => sse.isConnected && sse.sendHeaders(), limits.commit)
  const stream: OpenStream = { stop: () => end(options, stopping) }
  open.add(stream)
  try {
    const answer = await run((event) => send(options, { id: eventId(event), data: event }))
    if (!abort.signal.aborted) await send(options, { event: 'result', data: answer })
  } catch (error) {
    if (abort.signal.aborted) return
    if (!reply.raw.headersSent) throw error
    const seen = publicError(error, options.requestId)
    if (seen.code === 'internal') reply.log.error({ err: error, request_id: options.requestId }, 'stream failed')
    await send(options, { event: 'error', data: errorBody(seen) }).catch(() => {})
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

interface Message {
  id?: string | undefined
  event?: string
  data: unknown
}

/** Writes one message and waits until the reader has taken what is buffered; a reader that takes nothing is cut. */
async function send({ reply, abort, limits }: StreamOptions, message: Message): Promise<void> {
  const { signal } = abort
  if (signal.aborted || !reply.sse.isConnected) throw gone()
  if (reply.raw.writableLength > limits.buffer) return cut(reply, abort)
  const { id, ...rest } = message
  const written = reply.sse.send(id === undefined ? rest : { id, ...rest })
  if (!reply.raw.writableNeedDrain) return written
  await drained(written, signal, limits.stall).catch(() => cut(reply, abort))
  if (signal.aborted) throw gone()
}

/** @fastify/sse waits for `drain` alone, which never comes once the reader has gone. */
function drained(written: Promise<void>, signal: AbortSignal, stall: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(() => reject(new Error('stalled'))), stall)
    const onAbort = () => settle(resolve)
    const settle = (finish: () => void) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      finish()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    written.then(
      () => settle(resolve),
      () => settle(resolve),
    )
  })
}

function cut(reply: FastifyReply, abort: AbortController): never {
  reply.log.info({ buffered: reply.raw.writableLength }, 'stream cut: its reader takes nothing')
  reply.raw.destroy()
  abort.abort()
  throw gone()
}

const gone = () => new CommandError('cancelled', 'The reader has gone.')

/** One line: a line break in an id would let an event write fields of its own. */
function eventId(event: unknown): string | undefined {
  const { id, seq } = (event ?? {}) as { id?: unknown; seq?: unknown }
  const given = id ?? seq
  return typeof given === 'string' || typeof given === 'number' ? String(given).replaceAll(/[\r\n\0]/g, '') : undefined
}

/** The part of a streaming command's answer that this route sends. */
export const part = (answer: Answer, unwrap: string | undefined): unknown =>
  unwrap === undefined ? answer : answer[unwrap]
