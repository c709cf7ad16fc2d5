import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { CommandError, type ErrorCode, errorBody, errorTable, publicError } from '../core/errors.ts'
import { type Scope, scopeNames } from '../core/principal.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Where an app learns how to get a token (RFC 9728), and the scopes to ask for first; none without an OAuth server. */
    oauthResource?: () => { metadata: string; scope: string } | undefined
  }
}

/** Fastify's own refusals, in the words of the error table. */
const frameworkErrors: Record<string, [ErrorCode, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['payload_too_large', 'The body is larger than this server takes, which is 4 MiB.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', 'Send the body as Content-Type: application/json.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['bad_request', 'The body is not as long as Content-Length says.'],
  FST_ERR_BAD_URL: ['bad_request', 'The path holds a broken percent escape.'],
  FST_ERR_MAX_PARAM_LENGTH: ['bad_request', 'A part of the path is longer than any id or name.'],
}

/** The error that the caller may see, Fastify's refusals among them. */
function seenError(error: unknown, { id, raw }: FastifyRequest): CommandError {
  if (raw.readableAborted) return new CommandError('cancelled', 'The request broke off.', { cause: error })
  const [code, message] = frameworkErrors[(error as FastifyError | undefined)?.code ?? ''] ?? []
  if (code !== undefined && message !== undefined) return new CommandError(code, message, { cause: error })
  return publicError(error, id)
}

/** Fastify's error handler for every route: logs what is our fault, tells the caller what is theirs. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const seen = seenError(error, request)
  if (seen.code === 'internal') request.log.error({ err: error, request_id: request.id }, 'request failed')
  const { status } = errorTable[seen.code]
  const wait = seen.details?.retry_after_seconds
  if (typeof wait === 'number') reply.header('retry-after', Math.max(1, Math.ceil(wait)))
  if (status === 401 || seen.code === 'insufficient_scope') reply.header('www-authenticate', challenge(request, seen))
  return reply.code(status).type('application/json; charset=utf-8').send(errorBody(seen))
}

/**
 * RFC 6750, section 3: the error attribute only where a token was shown. Scopes are all that the next token must have: an
 * app that asks for the missing one alone would lose those it holds.
 */
function challenge({ headers, server }: FastifyRequest, { code, details }: CommandError): string {
  const resource = server.oauthResource?.()
  const { required = [], held = [] } = (details ?? {}) as { required?: Scope[]; held?: Scope[] }
  const missing = code === 'insufficient_scope'
  const facts = {
    error: missing ? code : headers.authorization === undefined ? undefined : 'invalid_token',
    scope: missing ? scopeNames.filter((name) => [...held, ...required].includes(name)).join(' ') : resource?.scope,
    resource_metadata: resource?.metadata,
  }
  const said = Object.entries(facts).flatMap(([name, value]) => (value === undefined ? [] : [`${name}="${value}"`]))
  return ['Bearer', said.join(', ')].join(' ').trim()
}
