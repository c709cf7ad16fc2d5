import type { Command } from '../core/command.ts'
import { CommandError, type ErrorCode, fail } from '../core/errors.ts'
import { installation, nobody, type Principal } from '../core/principal.ts'
import { appendAudit } from '../core/stages/audit.ts'
import type { People } from './people.ts'

/** Who asks, as far as a request tells. */
export interface Visitor {
  /** The request's Cookie header. */
  cookie: string
  userAgent: string
  /** Of the connection, or of a trusted proxy's client. */
  address: string
  requestId: string
}

export interface Told<Answer> {
  answer: Answer
  /** Set-Cookie headers. */
  cookies: string[]
}

export interface Account {
  id: string
  email: string
  name: string
}

/** The name of the cookie that `session` reads; `__Host-` where https lets it be. */
export const sessionCookie = (origin: string) => `${origin.startsWith('https:') ? '__Host-' : ''}molar_session`

/** Where the address of who asks stands for better-auth, in headers that are made here. */
export const addressHeader = 'x-molar-address'

/** The headers that better-auth sees: made here, so that nobody can say what their address is. */
export const headersOf = ({ cookie, userAgent, address }: Visitor): Headers =>
  new Headers({ cookie, 'user-agent': userAgent, [addressHeader]: address })

/** Asks better-auth; what it refuses becomes an error that the person can understand. */
export async function ask<Answer>(asked: Promise<{ headers: Headers; response: Answer }>): Promise<Told<Answer>> {
  try {
    const { headers, response } = await asked
    return { answer: response, cookies: headers.getSetCookie() }
  } catch (error) {
    const { isAPIError } = await import('better-auth/api') // heavy: with the first person only
    if (!isAPIError(error)) throw error
    const location = new Headers(error.headers as HeadersInit | undefined).get('location')
    const code = location ? new URL(location, 'http://localhost').searchParams.get('error') : error.body?.code
    const [kind, message] = refusals[code ?? ''] ?? unforeseen(error.statusCode)
    throw new CommandError(kind, message, { cause: error, details: { reason: code ?? null } })
  }
}

const unforeseen = (status: number): [ErrorCode, string] =>
  status >= 500
    ? ['unavailable', 'Signing in does not work at the moment. Try again in a while.']
    : ['bad_request', 'That did not work. Start again.']

const badLink = 'This link has been used already or has run out. Ask for a new one.'
const badCode = 'This code is wrong or has run out. Use the one that your app shows now.'

/** better-auth's codes that people can meet, in our words. */
const refusals: Record<string, [ErrorCode, string]> = {
  INVALID_EMAIL_OR_PASSWORD: ['forbidden', 'The e-mail address or the password is wrong.'],
  INVALID_EMAIL: ['validation_failed', 'This is not an e-mail address.'],
  EMAIL_NOT_VERIFIED: ['forbidden', 'Confirm your e-mail address first: a new link is on its way to you.'],
  INVALID_PASSWORD: ['forbidden', 'The password is wrong.'],
  INVALID_TOKEN: ['forbidden', badLink],
  TOKEN_EXPIRED: ['forbidden', badLink],
  INVALID_USER: ['forbidden', 'This link belongs to another account. Sign out, and open it again.'],
  USER_NOT_FOUND: ['forbidden', badLink],
  INVALID_CODE: ['forbidden', badCode],
  INVALID_BACKUP_CODE: ['forbidden', 'This backup code is wrong or has been used.'],
  INVALID_TWO_FACTOR_COOKIE: ['forbidden', 'This took too long. Sign in again.'],
  TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE: ['rate_limited', 'Too many wrong codes. Sign in again.'],
  ACCOUNT_TEMPORARILY_LOCKED: ['rate_limited', 'Too many wrong codes. Try again in 15 minutes.'],
  TOTP_ALREADY_ENABLED: ['conflict', 'Two-factor authentication is on already.'],
  SESSION_NOT_FRESH: ['forbidden', 'This needs a recent sign-in. Sign out, and sign in again.'],
  CHALLENGE_NOT_FOUND: ['forbidden', 'This took too long. Try again.'],
  PASSKEY_NOT_FOUND: ['forbidden', 'This passkey is not known here.'],
  AUTHENTICATION_FAILED: ['forbidden', 'The passkey could not be checked. Try again.'],
  USER_NOT_VERIFIED: [
    'forbidden',
    'Your device did not make sure that it is you. Use one with a PIN, a fingerprint or the like.',
  ],
  PROVIDER_NOT_FOUND: ['not_found', 'Nobody can sign in that way here.'],
}

/** On record: signing in, and what changes how somebody signs in. Under the installation, which concerns no org. */
export async function record(
  { services }: People,
  visitor: Visitor,
  event: Command['name'],
  {
    account,
    target,
    result = 'ok',
  }: { account?: Account | undefined; target?: string | undefined; result?: string } = {},
): Promise<void> {
  const principal: Principal = account
    ? { ...nobody, kind: 'session', id: account.id, name: account.email, user: account }
    : nobody
  await services.db.tenant(installation.id).tx((tx) =>
    appendAudit(tx, {
      command: { name: event },
      principal,
      context: { door: 'web', remoteAddress: visitor.address, requestId: visitor.requestId },
      target,
      result,
    }),
  )
}

/** Runs a step of signing in, and keeps a refused one on record too. */
export async function recorded<Answer>(
  people: People,
  visitor: Visitor,
  event: Command['name'],
  target: string | undefined,
  step: () => Promise<{ told: Told<Answer>; account?: Account | undefined }>,
): Promise<Told<Answer>> {
  try {
    const { told, account } = await step()
    await record(people, visitor, event, { account, target })
    return told
  } catch (error) {
    if (error instanceof CommandError && error.code !== 'unavailable')
      await record(people, visitor, event, { target, result: error.code })
    throw error
  }
}

/** A new password that others would guess is refused before anything else is done. */
export const refuse = (problem: string | undefined): void => {
  if (problem !== undefined) fail('validation_failed', problem)
}
