import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Provider } from 'oidc-provider'
import type { People } from '../auth/people.ts'
import { type Answer, call } from '../core/call.ts'
import type { CallContext, Services } from '../core/context.ts'
import { CommandError, errorBody, errorTable, fail, publicError } from '../core/errors.ts'
import { commands } from '../core/index.ts'
import type { Principal } from '../core/principal.ts'
import { signInAgain } from '../core/stages/access.ts'
import { problem } from './form.ts'
import { html } from './html.ts'
import { sendPage } from './page.ts'

export interface WebOptions {
  services: () => Promise<Services>
  /** How people come in; made when the first one does. */
  people: () => Promise<People>
  /** A request as `call()` needs to know it. */
  contextOf(request: FastifyRequest): CallContext
  /** Whether a page of this server sent it. */
  isSameOrigin(request: FastifyRequest): boolean
  /** The OAuth server; none where people cannot sign up. */
  oauth?: (() => Promise<Provider>) | undefined
}

export type Person = NonNullable<Principal['user']> & { sessionId: string; fresh: boolean }

/** What was typed into a form; a name that occurs twice has its values in `all`. */
export class Fields {
  readonly #values: URLSearchParams
  constructor(values: URLSearchParams) {
    this.#values = values
  }
  /** Without blanks around it; empty where nothing was typed. */
  text(name: string): string {
    return (this.#values.get(name) ?? '').trim()
  }
  /** As it was typed: passwords. */
  raw(name: string): string {
    return this.#values.get(name) ?? ''
  }
  all(name: string): string[] {
    return this.#values.getAll(name)
  }
}

/** Makes this scope one of pages: it reads forms, takes them from its own pages only, and shows errors as pages. */
export function pageScope(app: FastifyInstance, options: WebOptions): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: 64 << 10 },
    (_request, text, done) => {
      // PostgreSQL holds no NUL and no half surrogates; nobody types them.
      done(null, new Fields(new URLSearchParams((text as string).replaceAll('%00', '').toWellFormed())))
    },
  )
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string', bodyLimit: 64 << 10 },
    app.getDefaultJsonParser('error', 'error'),
  )
  // The cookie is SameSite=Lax; this also covers forms that are sent before there is a session (a forged sign-in).
  app.addHook('preHandler', async (request) => {
    if (['GET', 'HEAD'].includes(request.method) || options.isSameOrigin(request)) return
    fail('forbidden', 'This form was not sent from a page of this server. Open the page again, and send it from there.')
  })
  app.setErrorHandler((error, request, reply) => answerWithPage(error, request, reply))
}

/** Does what a form asks for; where it is refused in a way that the person can mend, shows the form again with why. */
export async function orProblem<Result>(
  work: () => Promise<Result>,
  again: (why: string, status: number) => Result | Promise<Result>,
): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof CommandError) || error.code === 'reauthentication_required') throw error
    const { status } = errorTable[error.code]
    if (status >= 500 && error.code !== 'unavailable') throw error
    return again(error.message, status)
  }
}

export const fieldsOf = (request: FastifyRequest): Fields =>
  request.body instanceof Fields ? request.body : new Fields(new URLSearchParams())

export const queryOf = (request: FastifyRequest): Fields =>
  new Fields(new URLSearchParams(request.url.split('?').slice(1).join('?').replaceAll('%00', '')))

/** Who is signed in; undefined where nobody is. */
export async function personOf(options: WebOptions, request: FastifyRequest): Promise<Person | undefined> {
  const { credential } = options.contextOf(request)
  if (credential?.kind !== 'session') return undefined
  const services = await options.services()
  try {
    const { id, user, fresh = false } = await services.authenticate(credential, { tenant: false })
    return user ? { ...user, sessionId: id, fresh } : undefined
  } catch (error) {
    if (error instanceof CommandError && error.code === 'unauthorized') return undefined
    throw error
  }
}

/** Who is signed in; whoever is not is sent to sign in, and comes back. */
export const needPerson = async (options: WebOptions, request: FastifyRequest): Promise<Person> =>
  (await personOf(options, request)) ?? fail('unauthorized', 'Sign in to see this page.')

const byName = new Map(commands.map((command) => [command.name as string, command]))

/**
 * Runs a command, as every door does, for the person who is signed in: in the org that is named, or the one they chose
 * last. `Output` is what the command's own schema says.
 */
export function run<Output extends object = Answer>(
  options: WebOptions,
  request: FastifyRequest,
  name: string,
  input: object = {},
  org?: string,
): Promise<Output> {
  const command = byName.get(name)
  if (!command) throw new Error(`There is no command ${name}`)
  const context = options.contextOf(request)
  const key = fieldsOf(request).text('idempotency_key')
  const idempotencyKey = key === '' ? undefined : `${key} ${name}` // one form may run several commands
  return call(command, input, { ...context, door: 'web', org: org ?? context.org, idempotencyKey }) as Promise<Output>
}

/** A path of this server as the caller may name it to come back to: this origin's, and no other's. */
export function ownPath(to: string, origin: string): string | undefined {
  if (to === '' || !URL.canParse(to, origin)) return undefined
  const url = new URL(to, origin)
  // `//host` would be another origin again once it stands in a Location header; the path of a blob: is a whole URL.
  if (url.origin !== new URL(origin).origin || !/^\/(?!\/)/.test(url.pathname)) return undefined
  return url.pathname + url.search + url.hash
}

const titles: Record<number, string> = {
  400: 'That did not work',
  401: 'Sign in first',
  403: 'Not allowed',
  404: 'Not found',
  409: 'That cannot be done now',
  422: 'That did not work',
  429: 'Too many tries',
  503: 'Not available now',
}

/** The page that has this form on it. */
function pageOf(url: string): string {
  const [path = ''] = url.split('?', 1)
  return /^\/(?:orgs\/[^/]+|account\/(?:sessions|delete))/.exec(path)?.[0] ?? '/account'
}

function answerWithPage(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = (error as { statusCode?: number }).statusCode
  const seen =
    known !== undefined && known < 500 && !(error instanceof CommandError)
      ? new CommandError(known === 413 ? 'payload_too_large' : 'bad_request', 'The form could not be read.')
      : publicError(error, request.id)
  if (seen.code === 'internal') request.log.error({ err: error, request_id: request.id }, 'request failed')
  if (seen.code === 'unauthorized' && request.method === 'GET')
    return reply.redirect(`/auth/login?return_to=${encodeURIComponent(request.url)}`, 303)
  if (request.headers.accept === 'application/json')
    return reply.code(errorTable[seen.code].status).send(errorBody(seen))
  if (seen.code === 'reauthentication_required')
    return reply.redirect(`${signInAgain}&return_to=${encodeURIComponent(pageOf(request.url))}`, 303)
  const { status } = errorTable[seen.code]
  const wait = seen.details?.retry_after_seconds
  if (typeof wait === 'number') reply.header('retry-after', Math.max(1, Math.ceil(wait)))
  return sendPage(reply, {
    title: titles[status] ?? 'Something went wrong',
    body: html`${problem(seen.message)}<p><a href="/">Go on from the start</a></p>`,
    status,
  })
}
