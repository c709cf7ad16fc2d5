import type { Answer } from '../core/call.ts'
import type { Command, Emit } from '../core/command.ts'
import { fail } from '../core/errors.ts'
import type { Carrier } from './carrier.ts'
import { readRefusal, unreachable } from './remote-errors.ts'
import { type Request, writeRequest } from './remote-request.ts'
import { readServerEvents } from './sse.ts'

export interface Remote {
  url: string
  /** What proves who calls; asked before each request. */
  token(): Promise<string | undefined>
  org: string | undefined
  version: string
  signal: AbortSignal
}

/** How often a broken stream is taken up again where it stopped. */
const resumes = 5

/** Carries commands out on a server, each over one of its REST routes. */
export function remoteCarrier(server: Remote): Carrier {
  return {
    where: 'remote',
    async carry(command, input, options = {}) {
      const remote = { ...server, signal: options.signal ?? server.signal }
      const org = options.org ?? server.org
      const request = writeRequest(command, input)
      if (options.idempotencyKey !== undefined) request.headers['idempotency-key'] = options.idempotencyKey
      if (org !== undefined) request.headers['x-molar-org'] = org
      if (command.events && options.emit) return stream(remote, request, options.emit)
      const response = await send(remote, request, 'application/json')
      return readAnswer(command, request, response)
    },
    close: async () => {},
  }
}

async function send(remote: Remote, request: Request, accept: string): Promise<Response> {
  const { method, path, body } = request
  const headers: Record<string, string> = { ...request.headers, accept, 'user-agent': `molar/${remote.version}` }
  const token = await remote.token()
  if (token !== undefined) headers.authorization = `Bearer ${token}`
  if (body !== undefined) headers['content-type'] = 'application/json'
  const init = {
    method,
    headers,
    signal: remote.signal,
    redirect: 'manual',
    ...(body === undefined ? {} : { body }),
  } as const
  const response = await fetch(remote.url + path, init).catch((cause: unknown) => unreachable(remote, cause))
  return response.ok ? response : readRefusal(remote, response)
}

async function readAnswer(command: Command, request: Request, response: Response): Promise<Answer> {
  const text = await response.text()
  try {
    const answer: unknown = text === '' ? {} : JSON.parse(text)
    return wholeAnswer(answer, request.route)
  } catch (cause) {
    return fail(
      'unavailable',
      `The server answered ${command.name} with something other than JSON. Is MOLAR_URL the address of a Molar server?`,
      { cause },
    )
  }
}

/** The output again, from what a route made of it. */
function wholeAnswer(answer: unknown, { unwrap, envelope }: Request['route']): Answer {
  if (unwrap !== undefined) return { [unwrap]: answer }
  if (!envelope) return answer as Answer
  const { [envelope.items]: items, count: _count, ...rest } = answer as Answer
  return { items, ...rest }
}

/** Events as they come, then the answer. A stream that breaks is resumed where a read can be. */
async function stream(remote: Remote, request: Request, emit: Emit<unknown>): Promise<Answer> {
  let last: string | undefined
  for (let attempt = 0; ; attempt++) {
    if (last !== undefined) request.headers['last-event-id'] = last
    const response = await send(remote, request, 'text/event-stream')
    const { body } = response
    if (!body || !response.headers.get('content-type')?.startsWith('text/event-stream'))
      return (await response.json()) as Answer
    try {
      for await (const { event, data, id } of readServerEvents(body)) {
        if (id !== undefined) {
          last = id
          attempt = 0
        }
        if (event === 'result') return JSON.parse(data) as Answer
        if (event === 'error') {
          if (request.method === 'GET' && isStopping(data)) break
          return readRefusal(remote, new Response(data, { status: 500 }))
        }
        await emit(JSON.parse(data))
      }
    } catch (cause) {
      if (remote.signal.aborted || (cause as Error).name === 'CommandError') throw cause
    }
    const lost = `The connection to ${remote.url} was lost before the answer came`
    if (request.method !== 'GET' || attempt >= resumes)
      fail('unavailable', `${lost}. The work may go on there: look with molar runs list.`)
    await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt))
  }
}

/** A server that stops says when to come back: its successor goes on with the stream. */
const isStopping = (data: string): boolean => /"error":"unavailable"/.test(data) && data.includes('retry_after_seconds')
