import { type AdapterPayload, type ClientMetadata, errors, Provider } from 'oidc-provider'
import type { Database } from '../../core/context.ts'
import type { Keyring } from '../../core/keyring.ts'
import { findClient, insertClient } from './store.ts'

export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'

const grantTypes = ['authorization_code', 'refresh_token', deviceGrant]

/** `molar login`: known without registration. */
export const cliClient: ClientMetadata = {
  client_id: 'molar-cli',
  client_name: 'Molar CLI',
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  grant_types: [deviceGrant, 'refresh_token'],
  response_types: [],
  redirect_uris: [],
}

/** What a registration has where it says nothing: a login that lasts. */
export const clientDefaults: Partial<ClientMetadata> = {
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  id_token_signed_response_alg: 'EdDSA',
}

/** Clients that one address may register within an hour: a connector registers one, for all who use it. */
export const mostRegistrations = 60
const about = (id: string) => `oauth|Client|${id}`

export async function sealClient(db: Database, keyring: Keyring, id: string, metadata: AdapterPayload): Promise<void> {
  const sealed = keyring.seal(JSON.stringify(metadata), about(id))
  const client = { id, metadata: sealed, address: Provider.ctx?.ip ?? '' }
  if (await insertClient(db.system, client, mostRegistrations)) return
  Provider.ctx?.set('retry-after', '3600')
  throw withStatus(429, 'temporarily_unavailable', 'this address registered too many clients; try again in an hour')
}

/** An OAuth error of a status that oidc-provider has no class for. */
export function withStatus(status: number, code: string, description: string): Error {
  const error = new errors.CustomOIDCProviderError(code, description)
  return Object.assign(error, { status, statusCode: status, expose: true })
}

export async function readClient(db: Database, keyring: Keyring, id: string): Promise<AdapterPayload | undefined> {
  if (!/^[\w-]{1,100}$/.test(id)) return undefined
  const found = await findClient(db.system, id)
  return found && (JSON.parse(keyring.open(found.metadata, about(id))) as AdapterPayload)
}

/**
 * Takes what real clients send, where a strict reading would refuse them. Claude Code says no application_type and comes
 * back to a loopback port that it learns later; Cursor names a `cursor://` URI, an https one and a loopback one together;
 * VS Code lists every grant type that it knows. Whoever has a redirect that is not https is a native app (RFC 8252). Which
 * scopes a client gets is the person's to say, at each consent, so none are fixed here.
 */
export function mendMetadata(metadata: ClientMetadata): void {
  const redirects: unknown[] = Array.isArray(metadata.redirect_uris) ? metadata.redirect_uris : []
  const native = redirects.some((uri) => typeof uri === 'string' && !uri.startsWith('https:'))
  metadata.application_type = native ? 'native' : 'web'
  metadata.response_modes = ['query']
  if (Array.isArray(metadata.grant_types))
    metadata.grant_types = metadata.grant_types.filter((type) => grantTypes.includes(type))
  delete metadata.scope
}
