import { z } from 'zod'
import { fail } from '../errors.ts'
import { newId } from '../ids.ts'
import type { Keyring } from '../keyring.ts'

/** What a one-shot link lets its holder do, once: this command, with this input, as this member of this org. */
export interface Link {
  id: string
  orgId: string
  userId: string
  command: string
  /** Fields of the input that the link fixes. */
  input: Record<string, unknown>
  expiresAt: Date
}

const issuer = 'molar'

/** The link's token: a JWT, signed with a key of its own, good for `minutes`. */
export async function signLink(
  keyring: Pick<Keyring, 'oneShot'>,
  { orgId, userId, command, input }: Omit<Link, 'id' | 'expiresAt'>,
  minutes: number,
): Promise<string> {
  const { SignJWT } = await import('jose')
  return new SignJWT({ org: orgId, input })
    .setProtectedHeader({ alg: 'HS256', typ: 'molar-link+jwt' })
    .setIssuer(issuer)
    .setAudience(command)
    .setSubject(userId)
    .setJti(newId())
    .setIssuedAt()
    .setExpirationTime(`${minutes} minutes`)
    .sign(keyring.oneShot()[0])
}

const claims = z.object({
  jti: z.uuid(),
  org: z.uuid(),
  sub: z.uuid(),
  aud: z.string(),
  exp: z.number(),
  input: z.record(z.string(), z.unknown()),
})

/** What a token says that was signed here and has not run out. Whether it was used is known when it is spent. */
export async function readLink(keyring: Pick<Keyring, 'oneShot'>, token: string): Promise<Link> {
  const { jwtVerify } = await import('jose')
  const bad = (cause: unknown) =>
    fail('unauthorized', 'This link is not one of this server, or has run out. Ask for a new one.', { cause })
  const rules = { algorithms: ['HS256'], issuer, typ: 'molar-link+jwt', requiredClaims: ['jti', 'sub', 'aud', 'exp'] }
  const { payload } = await Promise.any(keyring.oneShot().map((key) => jwtVerify(token, key, rules))).catch(bad)
  const { jti, org, sub, aud, exp, input } = claims.parse(payload)
  return { id: jti, orgId: org, userId: sub, command: aud, input, expiresAt: new Date(exp * 1000) }
}
