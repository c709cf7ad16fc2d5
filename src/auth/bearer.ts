import { fail } from '../core/errors.ts'
import type { Keyring } from '../core/keyring.ts'
import { isWellFormedToken } from '../core/keys/index.ts'
import { isOAuthToken, oauthFingerprint } from './oauth/resource.ts'

/**
 * What the database keeps of a bearer token; undefined where the text cannot be one. An access token is for one server's
 * resource, and is not known anywhere else.
 */
export function bearerFingerprint(keyring: Keyring, token: string, issuer: string | null): Buffer | undefined {
  if (isWellFormedToken(token)) return keyring.fingerprint(token)
  return issuer !== null && isOAuthToken(token) ? oauthFingerprint(keyring, token, issuer) : undefined
}

export const unknownBearer = (token: string): never =>
  isOAuthToken(token)
    ? fail('unauthorized', 'This access token has run out, was revoked, or is for another server. Connect again.')
    : fail(
        'unauthorized',
        'This key is not known, was revoked or has run out. `molar keys create <name>` makes a new one.',
      )
