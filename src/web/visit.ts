import type { FastifyReply, FastifyRequest } from 'fastify'
import type { People } from '../auth/people.ts'
import { record, type Visitor } from '../auth/visit.ts'
import { needFresh } from '../core/stages/access.ts'
import { needPerson, ownPath, type Person, type WebOptions } from './scope.ts'

export const visitorOf = (request: FastifyRequest): Visitor => ({
  cookie: request.headers.cookie ?? '',
  userAgent: (request.headers['user-agent'] ?? '').slice(0, 500),
  address: request.ip,
  requestId: request.id,
})

/** Who is signed in, and came in a moment ago; whoever did not is sent to do so again, and comes back. */
export async function needFreshPerson(options: WebOptions, request: FastifyRequest): Promise<Person> {
  const account = await needPerson(options, request)
  if (!account.fresh && request.method !== 'GET') {
    const result = 'reauthentication_required'
    await record(await options.people(), visitorOf(request), 'account.signInAgain', { account, result })
  }
  needFresh(account)
  return account
}

/** 303: the browser goes on with GET, and what was sent is not sent again. */
export const goOn = (reply: FastifyReply, to: string, cookies: readonly string[] = []): FastifyReply => {
  if (cookies.length > 0) reply.header('set-cookie', [...cookies])
  return reply.redirect(to, 303)
}

/** The path to come back to, where the caller names one of this server. */
export const backTo = (people: People, text: string): string | undefined => ownPath(text, people.origin)
/** Where somebody who came in goes. */
export const home = '/orgs'
