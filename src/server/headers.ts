import type { FastifyInstance } from 'fastify'
import { orgHeaders } from '../rest/context.ts'

/** Answers are data: nothing in them may run, be framed, be sniffed or be kept. A page sets its own policy over this one. */
const security = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}

/** What every answer of this server has, whatever is asked. */
export function securityHeaders(publicUrl: string | null): Record<string, string> {
  if (!publicUrl?.startsWith('https:')) return security
  return { ...security, 'strict-transport-security': 'max-age=31536000; includeSubDomains' }
}

/** Security headers and the request id on every answer, streams too. */
export function addHeaders(app: FastifyInstance, publicUrl: string | null): void {
  const fixed = securityHeaders(publicUrl)
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(fixed).header('x-request-id', request.id)
    done()
  })
}

const corsRequest = [
  'authorization',
  'content-type',
  'idempotency-key',
  'last-event-id',
  'x-request-id',
  'mcp-protocol-version',
  'mcp-session-id',
  'mcp-method',
  'mcp-name',
  'x-mcp-toolsets',
  'x-mcp-readonly',
  ...orgHeaders,
].join(', ')

/** CORS for the configured origins only; without any, nothing is said. Credentials are bearer tokens, never cookies. */
export function addCors(app: FastifyInstance, allowedOrigins: readonly string[]): void {
  if (allowedOrigins.length === 0) return
  const all = allowedOrigins.includes('*')
  app.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers
    reply.header('vary', 'Origin')
    if (origin === undefined || !(all || allowedOrigins.includes(origin))) return done()
    reply.headers({
      'access-control-allow-origin': origin,
      'access-control-expose-headers':
        'x-request-id, retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset, mcp-session-id, www-authenticate, location, content-disposition',
      'cross-origin-resource-policy': 'cross-origin',
    })
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return done()
    const answer = {
      'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers': corsRequest,
    }
    reply.code(204).headers(answer).header('access-control-max-age', '600').send()
  })
}
