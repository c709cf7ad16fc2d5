import type { FastifyInstance, FastifyRequest } from 'fastify'
import { fail } from '../core/errors.ts'

export interface HostRules {
  /** The address that the server listens on. */
  host: string
  publicUrl: string | null
  /** Further names under which it may be reached: `molar.lan`, or `molar.lan:4000` for one port only. */
  allowedHosts: readonly string[]
  /** Web origins that may call it: `https://app.example.com`; `*` for all. */
  allowedOrigins: readonly string[]
}

const loopback = new Set(['localhost', '127.0.0.1', '::1', '[::1]'])

/**
 * A page that rebinds its own name to this machine still sends that name as Host, and its origin as Origin (the
 * transport rules of MCP ask for this check). On a public address Host is checked only where names are configured.
 */
export function checkHosts(app: FastifyInstance, rules: HostRules): void {
  const isLocal = loopback.has(rules.host)
  const own = rules.publicUrl === null ? undefined : new URL(rules.publicUrl)
  const names = new Set([...rules.allowedHosts.map((name) => name.toLowerCase()), ...(own ? [own.host] : [])])
  const origins = new Set([...rules.allowedOrigins, ...(own ? [own.origin] : [])])
  const hostOk = (host: string) => {
    if (!isLocal && rules.allowedHosts.length === 0) return true
    const name = bareName(host)
    return (isLocal && loopback.has(name)) || names.has(host) || names.has(name)
  }
  const originOk = (origin: string, host: string) => {
    if (origins.has('*') || origins.has(origin)) return true
    const given = URL.canParse(origin) ? new URL(origin) : undefined
    return given !== undefined && (given.host === host || (isLocal && loopback.has(given.hostname)))
  }
  app.addHook('onRequest', (request: FastifyRequest, _reply, done) => {
    const host = (request.headers.host ?? '').toLowerCase()
    if (!hostOk(host))
      fail(
        'forbidden',
        `This server does not answer to the host "${host}". Name it in MOLAR_ALLOWED_HOSTS or MOLAR_PUBLIC_URL.`,
      )
    const { origin } = request.headers
    if (origin !== undefined && !originOk(origin, host)) {
      fail('forbidden', `Pages of ${origin} may not call this server. Name the origin in MOLAR_ALLOWED_ORIGINS.`)
    }
    done()
  })
}

/** `[::1]:4000` → `[::1]`, `localhost:4000` → `localhost`. */
const bareName = (host: string): string => host.replace(/:\d+$/, '')
