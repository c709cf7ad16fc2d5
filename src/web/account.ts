import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import {
  beginTwoFactor,
  changeEmail,
  changePassword,
  checkPassword,
  confirmTwoFactor,
  endTwoFactor,
} from '../auth/changes.ts'
import type { Account } from '../core/account/index.ts'
import { accountBody, farewellBody, newTwoFactor } from './account-forms.ts'
import { done, problem } from './form.ts'
import { html } from './html.ts'
import { sendPage } from './page.ts'
import { passkeyRoutes } from './passkeys.ts'
import { fieldsOf, needPerson, orProblem, queryOf, run, type WebOptions } from './scope.ts'
import { goOn, needFreshPerson, visitorOf } from './visit.ts'

/** What was done, by the word behind ?done=. */
const doings: Record<string, string> = {
  name: 'Your name is changed.',
  email: 'Look into the mail of the new address: it becomes yours once you follow the link there.',
  password: 'Your password is changed, and your other sessions have ended.',
  'two-factor-on': 'Two-factor authentication is on.',
  'two-factor-off': 'Two-factor authentication is off.',
  passkey: 'The passkey is there. You can sign in with it from now on.',
  'passkey-removed': 'The passkey is gone.',
}

/** My account: name, address, password, second factor, passkeys, and its end. */
export function accountPages(app: FastifyInstance, options: WebOptions): void {
  const { people } = options
  const mine = (request: FastifyRequest) => run<Account>(options, request, 'account.get')

  const show = async (request: FastifyRequest, reply: FastifyReply, wrong?: string, status = 200) => {
    const person = await needPerson(options, request)
    const account = await mine(request)
    return sendPage(reply, {
      title: 'My account',
      person,
      here: '/account',
      status,
      scripts: ['passkeys.js'],
      body: html`${problem(wrong)}${done(doings[queryOf(request).text('done')])}${accountBody(account)}`,
    })
  }

  /** Whoever changes how they come in shows their password, or without one that they came in a moment ago. */
  const proven = async (request: FastifyRequest) => {
    const { password } = await mine(request)
    return password ? needPerson(options, request) : needFreshPerson(options, request)
  }

  app.get('/account', async (request, reply) => show(request, reply))

  /** A form of this page: does what it asks for and comes back, or shows the page with what is wrong. */
  const change = (path: string, word: string, work: (request: FastifyRequest) => Promise<string[] | undefined>) =>
    app.post(path, async (request, reply) =>
      orProblem(
        async () => goOn(reply, `/account?done=${word}`, (await work(request)) ?? []),
        (why, status) => show(request, reply, why, status),
      ),
    )

  change('/account/name', 'name', async (request) => {
    await run(options, request, 'account.update', { name: fieldsOf(request).text('name') })
    return undefined
  })
  change('/account/email', 'email', async (request) => {
    const person = await proven(request)
    const sent = fieldsOf(request)
    if ((await mine(request)).password)
      await checkPassword(await people(), visitorOf(request), person, sent.raw('password'))
    await changeEmail(await people(), visitorOf(request), person, sent.text('email'))
    return undefined
  })
  change('/account/password', 'password', async (request) => {
    const sent = fieldsOf(request)
    const told = await changePassword(await people(), visitorOf(request), await needPerson(options, request), {
      current: sent.raw('current'),
      next: sent.raw('next'),
    })
    return told.cookies
  })
  change('/account/two-factor/confirm', 'two-factor-on', async (request) => {
    const person = await needPerson(options, request)
    return (await confirmTwoFactor(await people(), visitorOf(request), person, fieldsOf(request).text('code'))).cookies
  })
  change('/account/two-factor/off', 'two-factor-off', async (request) => {
    const person = await proven(request)
    const password = fieldsOf(request).raw('password') || undefined
    return (await endTwoFactor(await people(), visitorOf(request), person, password)).cookies
  })
  change('/account/passkeys/remove', 'passkey-removed', async (request) => {
    await run(options, request, 'account.removePasskey', { id: fieldsOf(request).text('id') })
    return undefined
  })

  app.post('/account/two-factor', async (request, reply) =>
    orProblem(
      async () => {
        const person = await proven(request)
        const password = fieldsOf(request).raw('password') || undefined
        const made = await beginTwoFactor(await people(), visitorOf(request), person, password)
        return sendPage(reply, {
          title: 'Two-factor authentication',
          person,
          here: '/account',
          body: newTwoFactor(made),
        })
      },
      (why, status) => show(request, reply, why, status),
    ),
  )

  passkeyRoutes(app, options)

  const farewell = async (request: FastifyRequest, reply: FastifyReply, wrong?: string, status = 200) =>
    sendPage(reply, {
      title: 'Delete my account',
      person: await needFreshPerson(options, request),
      here: '/account',
      status,
      body: html`${problem(wrong)}${farewellBody((await mine(request)).password)}`,
    })
  app.get('/account/delete', async (request, reply) => farewell(request, reply))
  app.post('/account/delete', async (request, reply) =>
    orProblem(
      async () => {
        const person = await needFreshPerson(options, request)
        const sent = fieldsOf(request)
        if ((await mine(request)).password)
          await checkPassword(await people(), visitorOf(request), person, sent.raw('password'))
        await run(options, request, 'account.delete', { confirm: sent.text('confirm') })
        return sendPage(reply, { title: 'Your account is gone', body: html`<p>Nothing of it is left. Farewell.</p>` })
      },
      (why, status) => farewell(request, reply, why, status),
    ),
  )
}
