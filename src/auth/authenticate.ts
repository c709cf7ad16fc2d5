import type { Credential, Database } from '../core/context.ts'
import { fail } from '../core/errors.ts'
import type { Keyring } from '../core/keyring.ts'
import { isWellFormedToken } from '../core/keys/index.ts'
import type { Principal } from '../core/principal.ts'
import { findPrincipal } from './store.ts'

/** Resolves a credential to who holds it, anew each time: nothing is cached, so what is revoked fails at once. */
export function makeAuthenticate(
  db: Database,
  keyring: Keyring,
): (credential: Credential | undefined) => Promise<Principal> {
  return async (credential) => {
    if (!credential)
      fail('unauthorized', 'Send a key: Authorization: Bearer molar_sk_…. `molar keys create <name>` makes one.')
    if (!isWellFormedToken(credential.token))
      fail('unauthorized', 'This is not a Molar key, or a character of it is wrong. Keys start with molar_sk_.')
    const principal = await findPrincipal(db.system, keyring.fingerprint(credential.token))
    return (
      principal ??
      fail(
        'unauthorized',
        'This key is not known, was revoked or has run out. `molar keys create <name>` makes a new one.',
      )
    )
  }
}
