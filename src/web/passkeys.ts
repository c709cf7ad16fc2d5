import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { addPasskey, newPasskeyChallenge } from '../auth/changes.ts'
import { passkeyChallenge, signInByPasskey } from '../auth/sign-in.ts'
import { fail } from '../core/errors.ts'
import type { WebOptions } from './scope.ts'
import { backTo, home, needFreshPerson, visitorOf } from './visit.ts'

/** What a browser's script asks for: passkeys need one. */
export function passkeyRoutes(app: FastifyInstance, options: WebOptions): void {
  const { people } = options
  const bodyOf = (request: FastifyRequest) => (request.body ?? {}) as Record<string, unknown>
  const text = (value: unknown) => (typeof value === 'string' ? value.trim().slice(0, 1000) : '')
  const cookies = (reply: FastifyReply, all: string[]) => (all.length > 0 ? reply.header('set-cookie', all) : reply)

  app.post('/auth/passkey/challenge', async (request, reply) => {
    const told = await passkeyChallenge(await people(), visitorOf(request))
    return cookies(reply, told.cookies).send(told.answer)
  })
  app.post('/auth/passkey', async (request, reply) => {
    const { response, return_to } = bodyOf(request)
    const told = await signInByPasskey(await people(), visitorOf(request), response)
    return cookies(reply, told.cookies).send({ location: backTo(await people(), text(return_to)) ?? home })
  })
  app.post('/account/passkeys/challenge', async (request, reply) => {
    await needFreshPerson(options, request)
    const told = await newPasskeyChallenge(await people(), visitorOf(request))
    return cookies(reply, told.cookies).send(told.answer)
  })
  app.post('/account/passkeys', async (request, reply) => {
    const { response, name } = bodyOf(request)
    if (text(name) === '') fail('validation_failed', 'Give the passkey a name.')
    const person = await needFreshPerson(options, request)
    const told = await addPasskey(await people(), visitorOf(request), person, {
      response,
      name: text(name).slice(0, 100),
    })
    return cookies(reply, told.cookies).send({ location: '/account?done=passkey' })
  })
}
