import type { Socket } from 'node:net'

/** What Node's HTTP parser refuses before there is a request, by its error code. */
const answers: Record<string, [status: string, error: string, message: string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'bad_request', 'The request did not arrive in time.'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'bad_request', 'The headers are too large.'],
}

/** The same `{error, message}` as everywhere, written by hand: no request, no reply, and the connection ends. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return void socket.destroy()
  const [status, code, message] = answers[error.code ?? ''] ?? [
    '400 Bad Request',
    'bad_request',
    'This is not an HTTP request.',
  ]
  const body = JSON.stringify({ error: code, message })
  const head = `HTTP/1.1 ${status}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close`
  socket.end(`${head}\r\n\r\n${body}`)
}
