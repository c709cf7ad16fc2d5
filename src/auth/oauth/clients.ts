import type { AdapterPayload, ClientMetadata } from 'oidc-provider'
import type { Database, Queries } from '../../core/context.ts'
import { type Keyring, unseal } from '../../core/keyring.ts'
import { findClient, insertClient, lockStaleClients, replaceMetadata } from './store.ts'

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'

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

const about = (id: string) => `oauth|Client|${id}`

export async function sealClient(tx: Queries, keyring: Keyring, id: string, metadata: AdapterPayload): Promise<void> {
  await insertClient(tx, id, keyring.seal(JSON.stringify(metadata), about(id)))
}

/** Seals up to a hundred clients under this key that another one seals; how many. */
export async function resealClients(tx: Queries, keyring: Keyring, newest: number): Promise<number> {
  const stale = await lockStaleClients(tx, newest)
  for (const { id, metadata } of stale) {
    const text = await unseal(keyring, metadata, about(id))
    await replaceMetadata(tx, id, keyring.sealUnder(newest, text, about(id)))
  }
  return stale.length
}

export async function readClient(db: Database, keyring: Keyring, id: string): Promise<AdapterPayload | undefined> {
  if (!/^[\w-]{1,100}$/.test(id)) return undefined
  const found = await findClient(db.system, id)
  return found && (JSON.parse(await unseal(keyring, found.metadata, about(id))) as AdapterPayload)
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
