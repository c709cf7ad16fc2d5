import { fail } from '../core/errors.ts'
import * as letters from './letters.ts'
import { refuseLongAddress } from './limits.ts'
import { weakness } from './passwords.ts'
import type { People } from './people.ts'
import { type Account, ask, headersOf, recorded, refuse, type Told, type Visitor } from './visit.ts'

// What changes how somebody signs in. Each asks for the password again, where there is one.

/** Ends every other session; this one goes on with a new token. */
export async function changePassword(
  people: People,
  visitor: Visitor,
  account: Account,
  { current, next }: { current: string; next: string },
): Promise<Told<unknown>> {
  refuse(await weakness(next, [account.name, account.email, account.email.split('@')[0] ?? '']))
  await people.limits.take('sign_in', visitor.address, account.email)
  const told = await recorded(people, visitor, 'account.changePassword', account.email, async () => ({
    told: await ask(
      people.auth.api.changePassword({
        body: { currentPassword: current, newPassword: next, revokeOtherSessions: true },
        headers: headersOf(visitor),
        returnHeaders: true,
      }),
    ),
    account,
  }))
  await people.limits.forget('sign_in', account.email)
  await people.send(letters.passwordChanged(account.email))
  return told
}

/** Holds whoever changes something to their password. */
export async function checkPassword(
  people: People,
  visitor: Visitor,
  account: Account,
  password: string,
): Promise<void> {
  await people.limits.take('sign_in', visitor.address, account.email)
  const body = { password }
  await recorded(people, visitor, 'account.showPassword', account.email, async () => ({
    told: await ask(people.auth.api.verifyPassword({ body, headers: headersOf(visitor), returnHeaders: true })),
    account,
  }))
  await people.limits.forget('sign_in', account.email)
}

/** Sends a link to the new address, and word to the old one. Nobody learns whether the new one has an account. */
export async function changeEmail(people: People, visitor: Visitor, account: Account, next: string): Promise<void> {
  refuseLongAddress(next)
  await people.limits.take('mail', visitor.address, account.email)
  await recorded(people, visitor, 'account.changeEmail', next, async () => ({
    told: await ask(
      people.auth.api.changeEmail({
        body: { newEmail: next, callbackURL: '/account' },
        headers: headersOf(visitor),
        returnHeaders: true,
      }),
    ),
    account,
  }))
  await people.send(letters.emailChanging(account.email, next))
}

/** A new secret for an authenticator app, and backup codes; it counts once a code has been shown. */
export async function beginTwoFactor(
  people: People,
  visitor: Visitor,
  account: Account,
  password: string | undefined,
): Promise<{ uri: string; secret: string; backupCodes: string[] }> {
  await people.limits.take('sign_in', visitor.address, account.email)
  const { answer } = await recorded(people, visitor, 'account.twoFactorBegin', account.email, async () => ({
    told: await ask(
      people.auth.api.enableTwoFactor({
        body: { ...(password && { password }), method: 'totp' },
        headers: headersOf(visitor),
        returnHeaders: true,
      }),
    ),
    account,
  }))
  await people.limits.forget('sign_in', account.email)
  const { totpURI: uri = '', backupCodes = [] } = answer as { totpURI?: string; backupCodes?: string[] }
  return { uri, secret: new URL(uri).searchParams.get('secret') ?? '', backupCodes }
}

export async function confirmTwoFactor(
  people: People,
  visitor: Visitor,
  account: Account,
  typed: string,
): Promise<Told<unknown>> {
  await people.limits.take('sign_in', visitor.address, account.email)
  const code = typed.replaceAll(/\s/g, '')
  const told = await recorded(people, visitor, 'account.twoFactorOn', account.email, async () => ({
    told: await ask(
      people.auth.api.verifyTOTP({
        body: { code },
        headers: headersOf(visitor),
        returnHeaders: true,
      }),
    ),
    account,
  }))
  await people.limits.firstUse(code, account.id)
  await people.send(letters.secondFactorChanged(account.email, true))
  return told
}

export async function endTwoFactor(
  people: People,
  visitor: Visitor,
  account: Account,
  password: string | undefined,
): Promise<Told<unknown>> {
  await people.limits.take('sign_in', visitor.address, account.email)
  const told = await recorded(people, visitor, 'account.twoFactorOff', account.email, async () => ({
    told: await ask(
      people.auth.api.disableTwoFactor({
        body: { ...(password && { password }) },
        headers: headersOf(visitor),
        returnHeaders: true,
      }),
    ),
    account,
  }))
  await people.send(letters.secondFactorChanged(account.email, false))
  return told
}

/** What a browser needs to make a passkey. */
export const newPasskeyChallenge = (people: People, visitor: Visitor) =>
  ask(people.auth.api.generatePasskeyRegistrationOptions({ headers: headersOf(visitor), returnHeaders: true }))

export const addPasskey = (
  people: People,
  visitor: Visitor,
  account: Account,
  { response, name }: { response: unknown; name: string },
): Promise<Told<unknown>> =>
  recorded(people, visitor, 'account.addPasskey', name, async () => {
    if (typeof response !== 'object' || response === null) fail('bad_request', 'The passkey is missing.')
    const body = { response: response as never, name }
    return {
      told: await ask(
        people.auth.api.verifyPasskeyRegistration({ body, headers: headersOf(visitor), returnHeaders: true }),
      ),
      account,
    }
  })
