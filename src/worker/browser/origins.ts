import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { BrowserContextOptions } from 'playwright-core'
import { OutsideError } from '../../core/egress/index.ts'
import { isAllowed, type OriginPattern, parsePattern } from './allowed.ts'

export interface OriginOptions {
  /** Origins that pages may reach. Everything inside the browser (data:, blob:, about:) is allowed anyway. */
  allowed: readonly OriginPattern[]
  /**
   * Told once of every refused URL, a hundred at most; a tunnel (https, WebSockets) shows only its host, and `//host:port`
   * where the scheme is unknown. `why` where the origin is allowed and its connection was not made.
   */
  onRefused: (url: string, why?: string) => void
  /**
   * Opens the connections to allowed origins, and only to addresses that may be reached. Absent: Chromium connects
   * itself, which is faster and right where the machine's own network is what is tested.
   */
  connect?: (host: string, port: number) => Promise<Socket>
}

/** `context` belongs into `newContext`; `close` after the context is closed. */
export interface OriginHold {
  context: Pick<BrowserContextOptions, 'proxy'>
  close(): Promise<void>
}

/**
 * Holds a context to its origins by a proxy of its own that refuses all others. Unlike request interception it sees
 * redirects, WebSockets, workers and prefetches, costs the allowed origins nothing (Chromium goes around the proxy for
 * them), and leaves the HTTP cache on.
 */
export async function holdToOrigins(options: OriginOptions): Promise<OriginHold> {
  const tell = once(options.onRefused)
  // What Chromium itself sends goes around this proxy; requests of Playwright's own know no such exceptions.
  const held = { ...options, connect: options.connect ?? connectTo }
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => void forward(request, response, held, tell))
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy()).once('close', () => sockets.delete(socket))
  })
  server.on(
    'connect',
    (request: IncomingMessage, socket: Socket, head: Buffer) => void tunnel(request, socket, head, held, tell),
  )
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  server.unref()
  const bypass = options.connect ? undefined : options.allowed.flatMap(bypassRules).join(',')
  return {
    context: {
      proxy: { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ...(bypass ? { bypass } : {}) },
    },
    close: () => close(server, sockets),
  }
}

function connectTo(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: host.replace(/^\[|\]$/g, ''), port }, () => resolve(socket)).once('error', reject)
  })
}

/** Chromium's exceptions are by scheme: a WebSocket needs its own. */
function bypassRules(pattern: OriginPattern): string[] {
  const { protocol, host, port } = parsePattern(pattern)
  const socket = protocol === 'https:' ? 'wss' : 'ws'
  return [`${protocol}//${host}:${port}`, `${socket}://${host}:${port}`]
}

type Tell = OriginOptions['onRefused']

function once(onRefused: Tell): Tell {
  const told = new Set<string>()
  return (url, why) => {
    if (told.has(url) || told.size >= 100) return
    told.add(url)
    onRefused(url, why)
  }
}

/** HTTPS and WebSockets ask for a tunnel: the host is known, the scheme is not. */
async function tunnel(
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
  options: Required<OriginOptions>,
  tell: Tell,
): Promise<void> {
  const { hostname, port } = splitHost(request.url ?? '')
  const shown = port === 443 ? `https://${hostname}` : `//${request.url}`
  const candidates = [`https://${hostname}:${port}`, `http://${hostname}:${port}`]
  if (!candidates.some((url) => isAllowed(url, options.allowed))) {
    tell(shown)
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
    return
  }
  try {
    const upstream = await options.connect(hostname, port)
    upstream.on('error', () => socket.destroy()).on('close', () => socket.destroy())
    socket.on('close', () => upstream.destroy())
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
    if (head.length > 0) upstream.write(head)
    upstream.pipe(socket).pipe(upstream)
  } catch (error) {
    tell(shown, reasonOf(error))
    socket.destroy() // Playwright takes an answer to CONNECT for one of the application
  }
}

const reasonOf = (error: unknown): string => (error instanceof OutsideError ? error.message : 'it cannot be reached.')

function splitHost(authority: string): { hostname: string; port: number } {
  const colon = authority.lastIndexOf(':')
  return { hostname: authority.slice(0, colon), port: Number(authority.slice(colon + 1)) }
}

async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  options: Required<OriginOptions>,
  tell: Tell,
): Promise<void> {
  const url = request.url ?? ''
  if (!isAllowed(url, options.allowed)) {
    if (URL.canParse(url)) tell(url)
    response
      .writeHead(403, { 'content-type': 'text/plain', connection: 'close' })
      .end('Molar: this run may not reach that origin.')
    return
  }
  try {
    const target = new URL(url)
    const socket = await options.connect(target.hostname, Number(target.port || 80))
    const { 'proxy-connection': _, ...kept } = request.headers
    const headers = { ...kept, connection: 'close' }
    const upstream = httpRequest(
      { method: request.method, path: target.pathname + target.search, headers, createConnection: () => socket },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      },
    )
    upstream.on('error', () => response.destroy())
    request.pipe(upstream)
  } catch (error) {
    tell(url, reasonOf(error))
    response.destroy() // an answer of ours would look like one of the application
  }
}

async function close(server: Server, sockets: Set<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy()
  await new Promise<void>((resolve) => server.close(() => resolve()))
}
