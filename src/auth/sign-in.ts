import { fail } from '../core/errors.ts'
import { weakness } from './passwords.ts'
import type { People } from './people.ts'
import { replaceSession } from './store.ts'
import { type Account, ask, headersOf, recorded, refuse, sessionCookie, type Told, type Visitor } from './visit.ts'

/** Whether somebody is in, or has to show a second factor first. */
export interface CameIn {
  secondFactor: boolean
}

interface Signed {
  user?: Account | null
  twoFactorRedirect?: boolean
}

const came = ({ answer, cookies }: Told<unknown>): { told: Told<CameIn>; account?: Account | undefined } => {
  const { user, twoFactorRedirect } = (answer ?? {}) as Signed
  return { told: { answer: { secondFactor: twoFactorRedirect === true }, cookies }, account: user ?? undefined }
}

/** A way of coming in. The session that the browser had before is over: it has another one now, or none yet. */
async function comingIn<Answer>(...asked: Parameters<typeof recorded<Answer>>): Promise<Told<Answer>> {
  const [people, visitor] = asked
  const told = await recorded(...asked)
  const before = tokenIn(people, visitor.cookie.split(';'))
  const now = tokenIn(people, told.cookies)
  if (before && now !== undefined && before !== now) {
    const { db, keyring } = people.services
    await replaceSession(db.system, keyring.fingerprint(before), now === '' ? undefined : keyring.fingerprint(now))
  }
  return told
}

/** The session's token in cookies as they are sent or set; empty where it is taken away, undefined where none is named. */
function tokenIn({ origin }: People, cookies: readonly string[]): string | undefined {
  const name = `${sessionCookie(origin)}=`
  const value = cookies.map((cookie) => cookie.trim()).find((cookie) => cookie.startsWith(name))
  return value === undefined
    ? undefined
    : decodeURIComponent(value.slice(name.length).split(';')[0] ?? '').split('.')[0]
}

/** A new account, which is there once its address is confirmed. Answers the same where the address has one already. */
export async function signUp(
  people: People,
  visitor: Visitor,
  { name, email, password, returnTo }: { name: string; email: string; password: string; returnTo?: string | undefined },
): Promise<void> {
  refuse(await weakness(password, [name, email, email.split('@')[0] ?? '']))
  await people.limits.take('mail', visitor.address, email)
  const body = { name, email, password, ...(returnTo && { callbackURL: returnTo }) }
  await recorded(people, visitor, 'auth.signUp', email, async () => ({
    told: await ask(people.auth.api.signUpEmail({ body, headers: headersOf(visitor), returnHeaders: true })),
  }))
}

export async function signIn(
  people: People,
  visitor: Visitor,
  { email, password, returnTo }: { email: string; password: string; returnTo?: string | undefined },
): Promise<Told<CameIn>> {
  await people.limits.take('sign_in', visitor.address, email)
  const body = { email, password, ...(returnTo && { callbackURL: returnTo }) }
  const told = await comingIn(people, visitor, 'auth.signIn', email, async () =>
    came(await ask(people.auth.api.signInEmail({ body, headers: headersOf(visitor), returnHeaders: true }))),
  )
  await people.limits.forget('sign_in', email)
  return told
}

/** Sends a link to sign in with, to whoever it is: an address without an account gets one when it is opened. */
export async function sendLink(
  people: People,
  visitor: Visitor,
  { email, returnTo }: { email: string; returnTo?: string | undefined },
): Promise<void> {
  await people.limits.take('mail', visitor.address, email)
  const body = { email, name: email.split('@')[0] ?? email, ...(returnTo && { callbackURL: returnTo }) }
  await recorded(people, visitor, 'auth.sendLink', email, async () => ({
    told: await ask(people.auth.api.signInMagicLink({ body, headers: headersOf(visitor), returnHeaders: true })),
  }))
}

export async function openLink(people: People, visitor: Visitor, token: string): Promise<Told<CameIn>> {
  await people.limits.take('sign_in', visitor.address)
  return comingIn(people, visitor, 'auth.openLink', undefined, async () =>
    came(
      await ask(
        people.auth.api.magicLinkVerify({ query: { token }, headers: headersOf(visitor), returnHeaders: true }),
      ),
    ),
  )
}

/** The code of an authenticator app, or a backup code, after the first factor. Either is good once. */
export async function secondFactor(
  people: People,
  visitor: Visitor,
  { code: typed, backup }: { code: string; backup: boolean },
): Promise<Told<CameIn>> {
  await people.limits.take('sign_in', visitor.address)
  const { verifyBackupCode, verifyTOTP } = people.auth.api
  const code = typed.replaceAll(/\s/g, '')
  const asked = { body: { code }, headers: headersOf(visitor), returnHeaders: true } as const
  return comingIn(people, visitor, 'auth.secondFactor', backup ? 'backup code' : undefined, async () => {
    if (backup) return came(await ask(verifyBackupCode(asked)))
    const done = came(await ask(verifyTOTP(asked)))
    // better-auth takes a code for as long as it shows; who looked over a shoulder must not come in with it.
    if (done.account && !(await people.limits.firstUse(code, done.account.id))) {
      const cookie = done.told.cookies.map((one) => one.split(';')[0]).join('; ')
      await people.auth.api.signOut({ headers: headersOf({ ...visitor, cookie }) })
      fail('forbidden', 'This code has been used already. Wait for the next one.')
    }
    return done
  })
}

/** Confirms an address: the first one signs its owner in, a changed one changes. */
export const verifyEmail = (people: People, visitor: Visitor, token: string): Promise<Told<CameIn>> =>
  comingIn(people, visitor, 'auth.verifyEmail', undefined, async () => {
    const told = await ask(
      people.auth.api.verifyEmail({ query: { token }, headers: headersOf(visitor), returnHeaders: true }),
    )
    return came(told)
  })

export async function forgot(people: People, visitor: Visitor, email: string): Promise<void> {
  await people.limits.take('mail', visitor.address, email)
  await recorded(people, visitor, 'auth.forgot', email, async () => ({
    told: await ask(
      people.auth.api.requestPasswordReset({ body: { email }, headers: headersOf(visitor), returnHeaders: true }),
    ),
  }))
}

/** A new password by a link that was sent; every session of the account ends. */
export async function reset(
  people: People,
  visitor: Visitor,
  { token, password }: { token: string; password: string },
): Promise<void> {
  refuse(await weakness(password))
  await people.limits.take('sign_in', visitor.address)
  await recorded(people, visitor, 'auth.reset', undefined, async () => ({
    told: await ask(
      people.auth.api.resetPassword({
        body: { token, newPassword: password },
        headers: headersOf(visitor),
        returnHeaders: true,
      }),
    ),
  }))
}

/** Where to send somebody who signs in at an outside provider. */
export async function toProvider(
  people: People,
  visitor: Visitor,
  { provider, returnTo }: { provider: string; returnTo: string },
): Promise<Told<{ url: string }>> {
  if (!people.providers.some(({ id }) => id === provider)) fail('not_found', 'Nobody can sign in that way here.')
  const body = { provider, callbackURL: returnTo, errorCallbackURL: '/auth/login', disableRedirect: true }
  const told = await ask(people.auth.api.signInSocial({ body, headers: headersOf(visitor), returnHeaders: true }))
  return { ...told, answer: { url: String((told.answer as { url?: string }).url) } }
}

/** Somebody comes back from a provider, with its answer in the query. */
export async function fromProvider(
  people: People,
  visitor: Visitor,
  { provider, query }: { provider: string; query: string },
): Promise<Told<{ location: string } & CameIn>> {
  await people.limits.take('sign_in', visitor.address)
  const request = new Request(`${people.origin}/auth/callback/${provider}?${query}`, { headers: headersOf(visitor) })
  const answer = await people.auth.handler(request)
  const cookies = answer.headers.getSetCookie()
  return comingIn<{ location: string } & CameIn>(people, visitor, 'auth.fromProvider', provider, async () => {
    const location = answer.headers.get('location') ?? ''
    const body = (await answer.json().catch(() => ({}))) as Signed
    if (body.twoFactorRedirect) return { told: { answer: { location, secondFactor: true }, cookies } }
    if (location === '') fail('forbidden', 'The provider did not let you in. Try again.')
    const error = new URL(location, people.origin).searchParams.get('error')
    if (error !== null) fail('forbidden', providerRefusals[error] ?? 'The provider did not let you in. Try again.')
    return { told: { answer: { location, secondFactor: false }, cookies }, account: await whose(people, cookies) }
  })
}

/** Whose session a fresh cookie opens. */
async function whose(people: People, cookies: readonly string[]): Promise<Account | undefined> {
  const token = tokenIn(people, cookies)
  if (!token) return undefined
  return (await people.services.authenticate({ kind: 'session', token }, { tenant: false })).user ?? undefined
}

const providerRefusals: Record<string, string> = {
  access_denied: 'You did not agree at the provider, so nothing has happened.',
  email_not_verified: 'The provider has not confirmed your e-mail address. Confirm it there first.',
  email_not_found: 'The provider does not tell your e-mail address, which Molar needs.',
  account_not_linked:
    'There is an account with this address that is not confirmed yet. Sign in to it by mail first; then this works too.',
  state_mismatch: 'This took too long, or began in another browser. Try again.',
}

/** What a browser needs to sign in with a passkey. */
export const passkeyChallenge = (people: People, visitor: Visitor) =>
  ask(people.auth.api.generatePasskeyAuthenticationOptions({ headers: headersOf(visitor), returnHeaders: true }))

export async function signInByPasskey(people: People, visitor: Visitor, response: unknown): Promise<Told<CameIn>> {
  await people.limits.take('sign_in', visitor.address)
  return comingIn(people, visitor, 'auth.signInByPasskey', undefined, async () => {
    const body = { response: response as never }
    return came(
      await ask(
        people.auth.api.verifyPasskeyAuthentication({ body, headers: headersOf(visitor), returnHeaders: true }),
      ),
    )
  })
}

export const signOut = (people: People, visitor: Visitor, account: Account | undefined): Promise<Told<unknown>> =>
  recorded(people, visitor, 'auth.signOut', undefined, async () => ({
    told: await ask(people.auth.api.signOut({ headers: headersOf(visitor), returnHeaders: true })),
    account,
  }))
