import { createHash, timingSafeEqual } from 'node:crypto'
import type { Credential, Database, Wanted } from '../core/context.ts'
import { fail } from '../core/errors.ts'
import type { Keyring } from '../core/keyring.ts'
import { readLink } from '../core/links/index.ts'
import { installation, type Principal, scopeNames } from '../core/principal.ts'
import { bearerFingerprint, unknownBearer } from './bearer.ts'
import { findInternalOrg, findMembership, findPrincipal, findSession } from './store.ts'

export type Authenticate = (credential: Credential | undefined, wanted: Wanted) => Promise<Principal>

export interface AuthenticateOptions {
  db: Database
  keyring: Keyring
  /** MOLAR_INTERNAL_TOKEN: what other services of the same installation show; none when absent. */
  internalToken?: string | undefined
  /** Where this server is reached: the issuer of OAuth tokens, once it is known. */
  publicUrl?: () => string | null
}

/** Resolves a credential to who holds it, anew each time: nothing is cached, so what is revoked fails at once. */
export function makeAuthenticate({
  db,
  keyring,
  internalToken,
  publicUrl = () => null,
}: AuthenticateOptions): Authenticate {
  const ways = {
    bearer: (token: string, wanted: Wanted) => byBearer(db, keyring, token, publicUrl(), wanted),
    session: (token: string, wanted: Wanted) => bySession(db, keyring.fingerprint(token), wanted),
    signed: (token: string) => byLink(db, keyring, token),
    internal: (token: string, wanted: Wanted) => byInternalToken(db, token, internalToken, wanted),
  }
  return async (credential, wanted) => {
    if (!credential)
      fail('unauthorized', 'Send a key: Authorization: Bearer molar_sk_…. `molar keys create <name>` makes one.')
    if (credential.plain && publicUrl()?.startsWith('https:')) fail('unauthorized', sessionEnded)
    return ways[credential.kind](credential.token, wanted)
  }
}

async function byBearer(
  db: Database,
  keyring: Keyring,
  token: string,
  issuer: string | null,
  { org }: Wanted,
): Promise<Principal> {
  const fingerprint =
    bearerFingerprint(keyring, token, issuer) ??
    fail('unauthorized', 'This is not a Molar key, or a character of it is wrong. Keys start with molar_sk_.')
  const principal = (await findPrincipal(db.system, fingerprint)) ?? unknownBearer(token)
  // Of all tokens the local owner's alone is the person themself, who may have made more orgs.
  const { kind, user } = principal
  if (kind !== 'local_owner' || !user || org === undefined || [principal.org.id, principal.org.slug].includes(org))
    return principal
  return { ...principal, ...(await findMembership(db.system, user.id, org)) }
}

const sessionEnded = 'This session has ended. Sign in again.'

/** A person acts in the org that the request names, else in the one they chose last, else in the only one they have. */
async function bySession(db: Database, fingerprint: Buffer, { org, tenant }: Wanted): Promise<Principal> {
  const [first, second] = await findSession(db.system, fingerprint, org)
  if (!first) fail('unauthorized', sessionEnded)
  const { session_id, expires_at, user_id, user_email, user_name, fresh, active } = first
  const user = { id: user_id, email: user_email, name: user_name }
  const self = {
    kind: 'session' as const,
    id: session_id,
    name: user_email,
    user,
    scopes: [...scopeNames],
    expires_at,
    fresh,
  }
  if (tenant === false) return { ...self, org: installation, role: 'viewer' }
  const { org_id, org_slug, org_name, role } = first
  if (org_id === null || org_slug === null || org_name === null || role === null) {
    if (org !== undefined) fail('forbidden', `You are not a member of the org ${org}, or there is none of that name.`)
    fail('forbidden', 'You belong to no org yet. Create one, or accept an invitation to one.')
  }
  if (org === undefined && !active && second)
    fail('bad_request', 'x-org-id header required: you belong to several orgs; name one of them by id or slug.')
  return { ...self, org: { id: org_id, slug: org_slug, name: org_name }, role }
}

async function byInternalToken(
  db: Database,
  token: string,
  expected: string | undefined,
  { org }: Wanted,
): Promise<Principal> {
  if (expected === undefined || !timingSafeEqual(sha256(token), sha256(expected)))
    fail('unauthorized', 'X-Internal-Token does not hold the internal service token of this installation.')
  if (org === undefined) fail('bad_request', 'x-org-id header required: the internal token belongs to no org.')
  const found = (await findInternalOrg(db.system, org)) ?? fail('forbidden', `There is no org ${org}.`)
  const self = { kind: 'internal' as const, id: installation.id, name: 'internal service', user: null }
  return { ...self, org: found, role: 'maintainer', scopes: [...scopeNames], expires_at: null }
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()

/** A link acts as the member that it was made for, with the role that they have at the time of its use. */
async function byLink(db: Database, keyring: Keyring, token: string): Promise<Principal> {
  const link = await readLink(keyring, token)
  const member =
    (await findMembership(db.system, link.userId, link.orgId)) ??
    fail('unauthorized', 'This link was made for somebody who is no member of the org any longer.')
  const { id, expiresAt } = link
  return { kind: 'signed', id, name: 'a link', ...member, scopes: [...scopeNames], expires_at: expiresAt, link }
}
