import type { FastifyRequest } from 'fastify'
import type { CallContext, Credential, Services } from '../core/context.ts'
import { fail } from '../core/errors.ts'

/** Headers of different sources for one thing: which of the caller's orgs. */
export const orgHeaders = ['x-org-id', 'x-molar-org', 'x-molecule-org-id', 'x-molecule-org-slug'] as const

/** A request as `call()` needs to know it. Throws bad_request where headers contradict each other. */
export function restContext(services: () => Promise<Services>): (request: FastifyRequest) => CallContext {
  return (request) => {
    const { id, slug } = readOrg(request)
    return {
      services: id !== undefined && slug !== undefined ? () => checkingSlug(services, slug) : services,
      door: 'rest',
      requestId: request.id,
      credential: linkOf(request) ?? bearerOf(request) ?? internalOf(request) ?? sessionOf(request),
      org: id ?? slug,
      idempotencyKey: one(request.headers['idempotency-key']),
      remoteAddress: request.ip,
    }
  }
}

/** `?token=` of a one-shot link, on the routes that take one. */
function linkOf({ routeOptions, query }: FastifyRequest): Credential | undefined {
  const { token } = query as { token?: string | string[] }
  return routeOptions.config.signed && typeof token === 'string' ? { kind: 'signed', token } : undefined
}

/** RFC 6750: the scheme's case does not matter. Other schemes prove nothing here. */
function bearerOf(request: FastifyRequest): Credential | undefined {
  const header = request.headers.authorization
  if (header === undefined) return undefined
  const space = header.indexOf(' ')
  if (header.slice(0, space).toLowerCase() !== 'bearer') return undefined
  const token = header.slice(space + 1).trim()
  return token === '' ? undefined : { kind: 'bearer', token }
}

function internalOf(request: FastifyRequest): Credential | undefined {
  const token = one(request.headers['x-internal-token'])
  return token ? { kind: 'internal', token } : undefined
}

/** `__Host-` binds the cookie to this host over https; plain http, as on a laptop, cannot have it. */
const sessionCookies = ['__Host-molar_session', 'molar_session'] as const

/**
 * A session's cookie. Browsers send it by themselves, so a request that changes something must say that it comes from a
 * page of this server; one that says nothing is no browser's of today.
 */
function sessionOf(request: FastifyRequest): Credential | undefined {
  const [bound, plain] = sessionCookies.map((name) => cookieOf(request, name))
  const token = bound || plain
  if (!token) return undefined
  if (!['GET', 'HEAD'].includes(request.method) && !isSameOrigin(request))
    fail('forbidden', 'A request with a session cookie that changes something must come from a page of this server.')
  return { kind: 'session', token, ...(!bound && { plain: true }) }
}

function cookieOf(request: FastifyRequest, name: string): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim())
  const found = pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1)
  // What follows the dot is a signature; the token itself is random and looked up.
  return found && safeDecode(found).split('.')[0]
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}

export function isSameOrigin({ headers }: FastifyRequest): boolean {
  if (headers['sec-fetch-site'] !== undefined) return headers['sec-fetch-site'] === 'same-origin'
  const { origin } = headers
  return origin !== undefined && URL.canParse(origin) && new URL(origin).host === headers.host
}

/** The org by id, by slug, or by both: an id and a slug may stand side by side. */
function readOrg(request: FastifyRequest): { id?: string; slug?: string } {
  const org: { id?: string; slug?: string } = {}
  for (const header of orgHeaders) {
    const value = one(request.headers[header])
    if (value === undefined || value === '') continue
    const kind = isUuid.test(value) ? 'id' : 'slug'
    if (org[kind] !== undefined && org[kind] !== value) {
      fail(
        'bad_request',
        `The headers ${orgHeaders.join(', ')} mean the same thing; here they name different orgs. Send one of them.`,
      )
    }
    org[kind] = value
  }
  return org
}

const isUuid = /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i

/** `call()` holds the principal to the id; that the slug names the same org is known once the principal is. */
async function checkingSlug(services: () => Promise<Services>, slug: string): Promise<Services> {
  const inner = await services()
  return {
    ...inner,
    arrive: () => undefined,
    async authenticate(credential, wanted) {
      const principal = await inner.authenticate(credential, wanted)
      if (principal.org.slug !== slug)
        fail('forbidden', `The org headers name different orgs, or one that is not this credential's: ${slug}.`)
      return principal
    },
  }
}

const one = (header: string | string[] | undefined): string | undefined => (Array.isArray(header) ? header[0] : header)
