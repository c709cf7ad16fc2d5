import type { Keyring } from '../../core/keyring.ts'
import { scopeNames } from '../../core/principal.ts'

/** Where a request's own id stands for oidc-provider: the server behind sets it, whatever was sent. */
export const requestIdHeader = 'x-molar-request-id'

export const oauthPaths = {
  authorize: '/api/oauth/authorize',
  token: '/api/oauth/token',
  register: '/api/oauth/register',
  revoke: '/api/oauth/revoke',
  introspect: '/api/oauth/introspect',
  device: '/api/oauth/device',
  /** Where a person types a device's code. */
  verify: '/device',
  consent: '/oauth/consent',
  server: '/.well-known/oauth-authorization-server',
  resource: '/.well-known/oauth-protected-resource',
} as const

/** What a client gets that asks for no scope: all that an agent at work needs. */
export const defaultScope = 'mcp:read mcp:write mcp:run mcp:trace:read'

/** RFC 8707: what tokens are for. One name for MCP and REST, since both do the same. */
export const resourceOf = (issuer: string): string => `${issuer}/mcp`

export const isResource = (resource: string, issuer: string): boolean =>
  resource === resourceOf(issuer) || resource === `${resourceOf(issuer)}/`

/** RFC 9728. The same document at the root and under /mcp: clients look in either place. */
export const resourceMetadata = (issuer: string) => ({
  resource: resourceOf(issuer),
  authorization_servers: [issuer],
  scopes_supported: scopeNames,
  bearer_methods_supported: ['header'],
  resource_name: 'Molar',
  resource_documentation: `${issuer}/agents`,
})

/** What the OAuth server's own records are found by. */
export const recordFingerprint = (keyring: Keyring, model: string, id: string): Buffer =>
  keyring.fingerprint(`${model} ${id}`)

/** Opaque: 256 random bits. */
export const isOAuthToken = (token: string): boolean => /^[\w-]{43}$/.test(token)

/** The resource is hashed with the token: one that was made for another is not known here. */
export const oauthFingerprint = (keyring: Keyring, token: string, issuer: string): Buffer =>
  keyring.fingerprint(`${token} ${resourceOf(issuer)}`)
