import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import type { Agent, buildConnector } from 'undici'
import { connectChecked, type Wires } from './connect.ts'
import { OutsideError } from './error.ts'
import { type Judge, portOf } from './rules.ts'

export interface OutsideOptions {
  method?: string
  headers?: HeadersInit
  body?: string | Uint8Array | null
  /** As fetch has it. `follow` unless told: at most five, each address checked like the first. */
  redirect?: 'follow' | 'manual' | 'error'
  /** Most bytes of the answer's body, unpacked; 1 MiB unless told. */
  maxBytes?: number
  /** For everything, redirects and body included; 10 s unless told. */
  timeoutMs?: number
  signal?: AbortSignal | null
}

/** An answer whose body is here already, whole: nothing more of it comes from outside. `url` is where it came from. */
export type FetchOutside = (url: string | URL, options?: OutsideOptions) => Promise<Response>

const connectMs = 5000
const mostRedirects = 5
const redirects = new Set([301, 302, 303, 307, 308])
const bodiless = new Set([204, 205, 304])

/** The one way to ask an address that a user gave. Knows no cookies and no proxies; throws OutsideError. */
export function makeFetch(judge: Judge, wires: Wires): FetchOutside {
  let opened: Promise<Agent> | undefined
  return async (given, options = {}) => {
    const signal = AbortSignal.any([
      AbortSignal.timeout(options.timeoutMs ?? 10_000),
      ...(options.signal ? [options.signal] : []),
    ])
    opened ??= makeAgent(judge, wires)
    const first: Asked = {
      url: readUrl(given),
      method: (options.method ?? 'GET').toUpperCase(),
      headers: new Headers(options.headers),
      body: options.body ?? null,
    }
    try {
      return await follow(first, { agent: await opened, judge, signal, options })
    } catch (error) {
      if (options.signal?.aborted) throw options.signal.reason
      throw asOutsideError(error, first.url)
    }
  }
}

interface Asked {
  url: URL
  method: string
  headers: Headers
  body: string | Uint8Array | null
}

interface Terms {
  agent: Agent
  judge: Judge
  signal: AbortSignal
  options: OutsideOptions
}

async function follow(first: Asked, terms: Terms): Promise<Response> {
  const { redirect = 'follow' } = terms.options
  let asked = first
  for (let count = 0; count <= mostRedirects; count++) {
    const response = await askOnce(asked, terms)
    const location = response.headers.get('location')
    if (!redirects.has(response.status) || location === null || redirect === 'manual') return response
    if (redirect === 'error') throw new OutsideError('malformed', `${asked.url.host} redirects, which is not followed.`)
    asked = redirected(asked, response.status, readUrl(location, asked.url))
  }
  throw new OutsideError('malformed', `${first.url.host} redirects more than ${mostRedirects} times.`)
}

/** Headers that hold no secret of the one who was asked first. */
const harmless = new Set(['accept', 'accept-language', 'content-type', 'user-agent'])

/** What browsers do (Fetch standard, 4.4): 303 becomes GET, and so does a POST that is answered 301 or 302. */
function redirected({ method, body, headers, url: from }: Asked, status: number, url: URL): Asked {
  const kept = new Headers(headers)
  if (url.origin !== from.origin) for (const name of headers.keys()) if (!harmless.has(name)) kept.delete(name)
  const becomesGet = status === 303 ? method !== 'HEAD' : status < 303 && method === 'POST'
  if (!becomesGet) return { url, method, body, headers: kept }
  kept.delete('content-type')
  return { url, method: 'GET', body: null, headers: kept }
}

/** Headers that the connection itself decides. */
const ours = ['host', 'connection', 'keep-alive', 'transfer-encoding', 'content-length', 'upgrade', 'expect', 'te']

async function askOnce({ url, method, headers, body }: Asked, { agent, judge, signal, options }: Terms) {
  judge.url(url)
  const sent = new Headers(headers)
  for (const name of ours) sent.delete(name)
  if (!sent.has('user-agent')) sent.set('user-agent', 'Molar')
  sent.set('accept-encoding', 'gzip, deflate, br')
  const answer = await (await import('undici')).request(url, {
    dispatcher: agent,
    method: method as 'GET',
    headers: Object.fromEntries(sent),
    body,
    signal,
  })
  const received = new Headers()
  for (const [name, value] of Object.entries(answer.headers))
    for (const one of [value ?? []].flat()) received.append(name, one)
  const bytes = await readBody(answer.body, received.get('content-encoding'), options.maxBytes ?? 1 << 20, url)
  received.delete('content-encoding')
  received.delete('content-length')
  const response = new Response(bodiless.has(answer.statusCode) ? null : bytes, {
    status: answer.statusCode,
    headers: received,
  })
  return Object.defineProperty(response, 'url', { value: url.href })
}

const decoders: Record<string, (() => NodeJS.ReadWriteStream) | undefined> = {
  gzip: () => createGunzip(),
  'x-gzip': () => createGunzip(),
  deflate: () => createInflate(),
  br: () => createBrotliDecompress(),
}

/** Never more than `most` bytes in memory, however small they were on the wire. */
async function readBody(body: Readable, encoding: string | null, most: number, { host }: URL) {
  const decoder = encoding === null || encoding === 'identity' ? undefined : decoders[encoding.trim().toLowerCase()]
  if (encoding !== null && encoding !== 'identity' && !decoder) {
    body.on('error', () => {}).destroy()
    throw new OutsideError('malformed', `${host} packs its answer in a way that was not offered.`)
  }
  const chunks: Buffer<ArrayBuffer>[] = []
  let size = 0
  const take = async (source: AsyncIterable<string | Buffer>) => {
    for await (const bytes of source) {
      const chunk = bytes as Buffer<ArrayBuffer>
      size += chunk.length
      if (size > most) throw new OutsideError('too_large', `${host} answers with more than ${most} bytes.`)
      chunks.push(chunk)
    }
  }
  if (decoder) await pipeline(body, decoder(), take)
  else await pipeline(body, take)
  return Buffer.concat(chunks)
}

async function makeAgent(judge: Judge, wires: Wires): Promise<Agent> {
  const undici = await import('undici')
  const secure = undici.buildConnector({ timeout: connectMs })
  const connect: buildConnector.connector = (options, done) => {
    const { hostname, protocol, port } = options
    connectChecked(
      { host: hostname, port: Number(port || (protocol === 'https:' ? 443 : 80)) },
      judge,
      wires,
      connectMs,
    )
      .then((socket) => {
        // TLS begins on a connection that was checked, so what may not be reached gets not even a greeting.
        if (protocol === 'https:') secure({ ...options, httpSocket: socket }, done)
        else done(null, socket)
      })
      .catch((error: Error) => done(error, null))
  }
  return new undici.Agent({ connect, maxHeaderSize: 16_384, headersTimeout: 30_000, bodyTimeout: 30_000 })
}

function readUrl(given: string | URL, base?: URL): URL {
  const url = URL.parse(String(given), base)
  if (!url) throw new OutsideError('malformed', `${String(given).slice(0, 200)} is not a URL.`)
  url.hash = ''
  return url
}

function asOutsideError(error: unknown, url: URL): OutsideError {
  if (error instanceof OutsideError) return error
  const { name, code } = error as { name?: string; code?: string }
  if (name === 'TimeoutError' || /TIMEOUT/.test(code ?? ''))
    return new OutsideError('timeout', `${url.host} did not answer in time.`, error)
  if (/^(?:HPE_|Z_|ERR__?ZLIB|UND_ERR_HEADERS_OVERFLOW)|BUF_ERROR/.test(code ?? ''))
    return new OutsideError('malformed', `${url.host} answers with what is no HTTP.`, error)
  return new OutsideError('unreachable', `${url.host}:${portOf(url)} cannot be reached.`, error)
}
