import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { goodFor } from '../auth/good-for.ts'
import {
  forgot,
  fromProvider,
  openLink,
  reset,
  secondFactor,
  sendLink,
  signIn,
  signOut,
  signUp,
  toProvider,
  verifyEmail,
} from '../auth/sign-in.ts'
import { fail } from '../core/errors.ts'
import { shownName } from '../core/fields.ts'
import { fieldsOf, orProblem, personOf, queryOf, type WebOptions } from './scope.ts'
import {
  clickPage,
  forgotPage,
  loginPage,
  mailed,
  query,
  resetPage,
  secondFactorPage,
  signUpPage,
} from './sign-in-forms.ts'
import { backTo, goOn, home, visitorOf } from './visit.ts'

/** Signing up and in, in every way there is, and out. */
export function signInPages(app: FastifyInstance, options: WebOptions): void {
  const { people } = options

  /** After a first factor: on to the page, or to the second factor. */
  const onwards = (reply: FastifyReply, cookies: string[], second: boolean, back: string | undefined) =>
    goOn(reply, second ? `/auth/two-factor${query({ return_to: back })}` : (back ?? home), cookies)

  app.get('/', async (_request, reply) => goOn(reply, home))

  app.get('/auth/signup', async (request, reply) => signUpPage(reply, { back: await back(request) }))
  app.post('/auth/signup', async (request, reply) => {
    const sent = fieldsOf(request)
    const [name, email, password] = [sent.text('name'), sent.text('email'), sent.raw('password')]
    const returnTo = await back(request)
    return orProblem(
      async () => {
        if (!shownName.safeParse(name).success)
          fail('validation_failed', 'Say your name, in one line of at most 100 characters.')
        await signUp(await people(), visitorOf(request), { name, email, password, returnTo })
        return mailed(reply, email, goodFor.verification, 'to confirm that the address is yours')
      },
      (wrong, status) => signUpPage(reply, { back: returnTo, name, email, wrong, status }),
    )
  })

  app.get('/auth/login', async (request, reply) => {
    const asked = queryOf(request)
    const returnTo = await back(request)
    const provider = asked.text('provider')
    if (provider !== '') {
      const { answer, cookies } = await toProvider(await people(), visitorOf(request), {
        provider,
        returnTo: returnTo ?? home,
      })
      return goOn(reply, answer.url, cookies)
    }
    const person = await personOf(options, request)
    const again = person !== undefined && asked.text('again') === 'yes'
    if (person && !again) return goOn(reply, returnTo ?? home)
    return loginPage(reply, await people(), { back: returnTo, again, email: person?.email })
  })
  app.post('/auth/login', async (request, reply) => {
    const sent = fieldsOf(request)
    const email = sent.text('email')
    const returnTo = await back(request)
    return orProblem(
      async () => {
        const told = await signIn(await people(), visitorOf(request), {
          email,
          password: sent.raw('password'),
          returnTo,
        })
        return onwards(reply, told.cookies, told.answer.secondFactor, returnTo)
      },
      async (wrong, status) => loginPage(reply, await people(), { back: returnTo, email, wrong, status }),
    )
  })

  app.post('/auth/magic-link', async (request, reply) => {
    const email = fieldsOf(request).text('email')
    const returnTo = await back(request)
    return orProblem(
      async () => {
        await sendLink(await people(), visitorOf(request), { email, returnTo })
        return mailed(reply, email, goodFor.link, 'to sign in with')
      },
      async (wrong, status) => loginPage(reply, await people(), { back: returnTo, email, wrong, status }),
    )
  })
  // Opening a link takes a click: programs that look at mails follow links, too.
  app.get('/auth/magic-link', async (request, reply) =>
    clickPage(reply, request, { title: 'Sign in', action: '/auth/magic-link/open', submit: 'Sign in' }),
  )
  app.post('/auth/magic-link/open', async (request, reply) => {
    const told = await openLink(await people(), visitorOf(request), fieldsOf(request).text('token'))
    return onwards(reply, told.cookies, told.answer.secondFactor, await back(request))
  })

  app.get('/auth/verify', async (request, reply) =>
    clickPage(reply, request, {
      title: 'Confirm your e-mail address',
      action: '/auth/verify',
      submit: 'Yes, it is mine',
    }),
  )
  app.post('/auth/verify', async (request, reply) => {
    const { answer, cookies } = await verifyEmail(await people(), visitorOf(request), fieldsOf(request).text('token'))
    return onwards(reply, cookies, answer.secondFactor, await back(request))
  })

  app.get('/auth/two-factor', async (request, reply) => secondFactorPage(reply, { back: await back(request) }))
  app.post('/auth/two-factor', async (request, reply) => {
    const sent = fieldsOf(request)
    const returnTo = await back(request)
    const backup = sent.text('kind') === 'backup'
    return orProblem(
      async () => {
        const told = await secondFactor(await people(), visitorOf(request), { code: sent.text('code'), backup })
        return goOn(reply, returnTo ?? home, told.cookies)
      },
      (wrong, status) => secondFactorPage(reply, { back: returnTo, wrong, status, backup }),
    )
  })

  app.get('/auth/forgot', async (_request, reply) => forgotPage(reply, {}))
  app.post('/auth/forgot', async (request, reply) => {
    const email = fieldsOf(request).text('email')
    return orProblem(
      async () => {
        await forgot(await people(), visitorOf(request), email)
        return mailed(reply, email, goodFor.reset, 'to choose a new password with')
      },
      (wrong, status) => forgotPage(reply, { wrong, status, email }),
    )
  })

  app.get('/auth/reset', async (request, reply) => resetPage(reply, { token: queryOf(request).text('token') }))
  app.post('/auth/reset', async (request, reply) => {
    const sent = fieldsOf(request)
    const token = sent.text('token')
    return orProblem(
      async () => {
        await reset(await people(), visitorOf(request), { token, password: sent.raw('password') })
        return loginPage(reply, await people(), { well: 'Your new password is set. Sign in with it.' })
      },
      (wrong, status) => resetPage(reply, { token, wrong, status }),
    )
  })

  /** OIDC comes back to the bare path, as the contract has it; others name themselves. */
  const callback = async (request: FastifyRequest<{ Params: { provider?: string } }>, reply: FastifyReply) =>
    orProblem(
      async () => {
        const provider = request.params.provider ?? 'oidc'
        const told = await fromProvider(await people(), visitorOf(request), {
          provider,
          query: request.url.split('?').slice(1).join('?'),
        })
        return onwards(reply, told.cookies, told.answer.secondFactor, await backFrom(told.answer.location))
      },
      async (wrong, status) => loginPage(reply, await people(), { wrong, status }),
    )
  app.get('/auth/callback', callback)
  app.get('/auth/callback/:provider', callback)

  app.post('/auth/signout', async (request, reply) => {
    const { cookies } = await signOut(await people(), visitorOf(request), await personOf(options, request))
    return goOn(reply, '/auth/login', cookies)
  })

  const backFrom = async (text: string) => backTo(await people(), text)
  const back = (request: FastifyRequest) =>
    backFrom((request.method === 'GET' ? queryOf(request) : fieldsOf(request)).text('return_to'))
}
