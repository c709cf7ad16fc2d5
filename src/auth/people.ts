import { passkey } from '@better-auth/passkey'
import { APIError } from 'better-auth/api'
import { betterAuth } from 'better-auth/minimal'
import { genericOAuth, magicLink, twoFactor } from 'better-auth/plugins'
import type { Mail, Services } from '../core/context.ts'
import { newId } from '../core/ids.ts'
import { mailJob } from '../core/mail.ts'
import { installation } from '../core/principal.ts'
import { accountAdapter } from './adapter.ts'
import { day, goodFor } from './good-for.ts'
import * as letters from './letters.ts'
import { signInLimits } from './limits.ts'
import { hashPassword, longest, type PasswordCost, shortest, verifyPassword } from './passwords.ts'
import { type Provider, providerConfig } from './providers.ts'
import { absoluteDays } from './store.ts'
import { addressHeader, sessionCookie } from './visit.ts'

export interface PeopleOptions {
  services: Services
  /** This server's own origin, as people reach it. */
  origin: string
  providers: readonly Provider[]
  passwordCost?: PasswordCost | undefined
}

export type People = ReturnType<typeof makePeople>

/**
 * How people come in: better-auth over our tables. Nothing of it is reachable from outside but what src/web asks it for.
 */
export function makePeople({ services, origin, providers, passwordCost }: PeopleOptions) {
  const { db, keyring, queue, log } = services
  const secure = origin.startsWith('https:')
  const send = (mail: Mail) => queue.send('mail', mailJob(keyring, mail), { orgId: installation.id })
  const auth = betterAuth({
    appName: 'Molar',
    baseURL: origin,
    basePath: '/auth',
    trustedOrigins: [origin],
    // Signs cookies and encrypts second factors.
    secret: keyring.fingerprint('the secret of better-auth').toString('hex'),
    database: accountAdapter(db, keyring),
    telemetry: { enabled: false },
    rateLimit: { enabled: false }, // limits.ts counts for all servers together
    logger: { level: 'error', log: (_level, message) => log.warn({ reason: message }, 'signing in') },
    emailAndPassword: {
      enabled: true,
      autoSignIn: false,
      requireEmailVerification: true,
      minPasswordLength: shortest,
      maxPasswordLength: longest,
      password: { hash: (password) => hashPassword(password, passwordCost), verify: verifyPassword },
      resetPasswordTokenExpiresIn: goodFor.reset,
      revokeSessionsOnPasswordReset: true,
      sendResetPassword: ({ user, token }) => send(letters.reset(user.email, `${origin}/auth/reset?token=${token}`)),
      onPasswordReset: ({ user }) => send(letters.passwordChanged(user.email)),
      onExistingUserSignUp: ({ user }) => send(letters.alreadyThere(user.email, `${origin}/auth/login`)),
    },
    emailVerification: {
      sendOnSignUp: true,
      sendOnSignIn: true,
      autoSignInAfterVerification: true,
      expiresIn: goodFor.verification,
      sendVerificationEmail: ({ user, url, token }) => {
        const back = new URL(url).searchParams.get('callbackURL') ?? '/'
        const query = new URLSearchParams({ token, ...(back !== '/' && { return_to: back }) })
        return send(letters.verify(user.email, `${origin}/auth/verify?${query}`))
      },
    },
    user: { changeEmail: { enabled: true } },
    session: {
      expiresIn: absoluteDays * day,
      disableSessionRefresh: true, // authenticate.ts moves the end of a session that is used
      freshAge: day,
      additionalFields: { activeOrgId: { type: 'string', required: false, input: false } },
    },
    verification: { storeIdentifier: 'hashed' },
    advanced: {
      useSecureCookies: false, // its prefix would be `__Secure-`
      cookiePrefix: `${secure ? '__Host-' : ''}molar`,
      cookies: { session_token: { name: sessionCookie(origin) } },
      defaultCookieAttributes: { secure, httpOnly: true, sameSite: 'lax', path: '/' },
      database: { generateId: () => newId() },
      ipAddress: { ipAddressHeaders: [addressHeader] },
    },
    plugins: [
      magicLink({
        expiresIn: goodFor.link,
        storeToken: 'hashed',
        sendMagicLink: async ({ email, url, token }) => {
          const back = new URL(url).searchParams.get('callbackURL') ?? '/'
          const query = new URLSearchParams({ token, ...(back !== '/' && { return_to: back }) })
          await send(letters.link(email, `${origin}/auth/magic-link?${query}`))
        },
      }),
      everyWhere(twoFactor({ issuer: 'Molar', allowPasswordless: true })),
      passkey({
        rpID: new URL(origin).hostname,
        rpName: 'Molar',
        origin,
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        authentication: {
          // It stands in for a password and a second factor, so the device must have made sure who holds it.
          afterVerification: ({ verification }) => {
            if (!verification.authenticationInfo.userVerified)
              throw new APIError('UNAUTHORIZED', {
                code: 'USER_NOT_VERIFIED',
                message: 'The device did not ask for you.',
              })
          },
        },
      }),
      genericOAuth({ config: providers.map((provider) => providerConfig(provider, origin)) }),
    ],
  })
  return { auth, limits: signInLimits(db.system), services, origin, providers, send }
}

/** Who has a second factor needs it after a link by mail, a confirmed address and a provider too, not only after a password. */
function everyWhere<Plugin extends ReturnType<typeof twoFactor>>(plugin: Plugin): Plugin {
  const [afterSignIn] = plugin.hooks.after
  const own = afterSignIn!.matcher
  afterSignIn!.matcher = (context) =>
    own(context) ||
    context.path === '/magic-link/verify' ||
    context.path === '/verify-email' ||
    (context.path?.startsWith('/callback/') ?? false)
  return plugin
}
