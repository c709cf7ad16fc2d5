import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { goodFor } from '../auth/good-for.ts'
import type { People } from '../auth/people.ts'
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
import type { Visitor } from '../auth/visit.ts'
import { fail } from '../core/errors.ts'
import { done, field, form, problem } from './form.ts'
import { type Content, html } from './html.ts'
import { sendPage } from './page.ts'
import { fieldsOf, orProblem, ownPath, personOf, queryOf, type WebOptions } from './scope.ts'

export const visitorOf = (request: FastifyRequest): Visitor => ({
  cookie: request.headers.cookie ?? '',
  userAgent: (request.headers['user-agent'] ?? '').slice(0, 500),
  address: request.ip,
  requestId: request.id,
})

/** 303: the browser goes on with GET, and what was sent is not sent again. */
export const goOn = (reply: FastifyReply, to: string, cookies: readonly string[] = []): FastifyReply => {
  if (cookies.length > 0) reply.header('set-cookie', [...cookies])
  return reply.redirect(to, 303)
}

/** The path to come back to, where the caller names one of this server. */
export const backTo = (people: People, text: string): string | undefined => ownPath(text, people.origin)
/** Where somebody who came in goes. */
export const home = '/orgs'

const query = (values: Record<string, string | undefined>): string => {
  const kept = Object.entries(values).filter((one): one is [string, string] => one[1] !== undefined)
  return kept.length === 0 ? '' : `?${new URLSearchParams(kept)}`
}

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
        if (name === '' || name.length > 100) fail('validation_failed', 'Say your name, in at most 100 characters.')
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
    if (await personOf(options, request)) return goOn(reply, returnTo ?? home)
    return loginPage(reply, await people(), { back: returnTo })
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

interface Tried {
  back?: string | undefined
  name?: string
  email?: string
  wrong?: string | undefined
  status?: number | undefined
}

const emailField = (value: string | undefined, first = true) =>
  field({
    name: 'email',
    label: 'E-mail address',
    type: 'email',
    autocomplete: 'username',
    value,
    maxlength: 320,
    first,
  })

export const newPasswordField = (name = 'password', label = 'Password', first = false) =>
  field({
    name,
    label,
    type: 'password',
    autocomplete: 'new-password',
    minlength: 12,
    maxlength: 256,
    hint: 'At least 12 characters. A few words are easy to remember.',
    first,
  })

function signUpPage(reply: FastifyReply, { back, name, email, wrong, status = 200 }: Tried): FastifyReply {
  return sendPage(reply, {
    title: 'Create your account',
    status,
    body: html`${problem(wrong)}
${form({
  action: '/auth/signup',
  hidden: { return_to: back },
  fields: [
    field({ name: 'name', label: 'Name', autocomplete: 'name', value: name, maxlength: 100, first: true }),
    emailField(email, false),
    newPasswordField(),
  ],
  submit: 'Create account',
})}
<p class="or">You have one? <a href="/auth/login${query({ return_to: back })}">Sign in</a></p>`,
  })
}

function loginPage(
  reply: FastifyReply,
  people: People,
  { back, email, wrong, well, status = 200 }: Tried & { well?: string },
): FastifyReply {
  const outside = people.providers.map(
    ({ id, name }) =>
      html`<a class="button quiet" href="/auth/login${query({ provider: id, return_to: back })}">Continue with ${name}</a>`,
  )
  return sendPage(reply, {
    title: 'Sign in',
    status,
    scripts: ['passkeys.js'],
    body: html`${problem(wrong)}${done(well)}
<div class="stack">${outside}
<form data-passkey="sign-in" data-return-to="${back ?? ''}" hidden><button class="quiet">Use a passkey</button></form></div>
<p class="problem" role="alert" data-passkey-problem hidden></p>
${form({
  action: '/auth/login',
  hidden: { return_to: back },
  fields: [
    emailField(email),
    field({
      name: 'password',
      label: 'Password',
      type: 'password',
      autocomplete: 'current-password',
      maxlength: 256,
    }),
  ],
  submit: 'Sign in',
  more: html`<a href="/auth/forgot">Forgot your password?</a>`,
})}
<h2>Without a password</h2>
${form({
  action: '/auth/magic-link',
  hidden: { return_to: back },
  fields: field({
    name: 'email',
    id: 'link-email',
    label: 'E-mail address for a link',
    type: 'email',
    autocomplete: 'email',
    value: email,
    maxlength: 320,
  }),
  submit: 'Send me a link',
})}
<p class="or">New here? <a href="/auth/signup${query({ return_to: back })}">Create an account</a></p>`,
  })
}

function secondFactorPage(reply: FastifyReply, { back, wrong, status = 200, backup }: Tried & { backup?: boolean }) {
  const code = (kind: string, label: string, hint: Content, first: boolean, numeric: boolean) =>
    form({
      action: '/auth/two-factor',
      hidden: { return_to: back, kind },
      fields: field({
        name: 'code',
        id: `${kind}-code`,
        label,
        hint,
        autocomplete: numeric ? 'one-time-code' : 'off',
        ...(numeric && { inputmode: 'numeric' as const }),
        maxlength: 20,
        first,
      }),
      submit: 'Go on',
    })
  return sendPage(reply, {
    title: 'One more step',
    status,
    body: html`${problem(wrong)}
${code('app', 'Code of your authenticator app', 'Six digits, new every 30 seconds', !backup, true)}
<h2>No app at hand?</h2>
${code('backup', 'One of your backup codes', 'Each works once', backup === true, false)}`,
  })
}

function forgotPage(reply: FastifyReply, { email, wrong, status = 200 }: Tried): FastifyReply {
  return sendPage(reply, {
    title: 'Choose a new password',
    status,
    body: html`${problem(wrong)}<p>We send a link to your address, with which you choose a new one.</p>
${form({ action: '/auth/forgot', fields: emailField(email), submit: 'Send me a link' })}`,
  })
}

function resetPage(reply: FastifyReply, { token, wrong, status = 200 }: Tried & { token: string }): FastifyReply {
  return sendPage(reply, {
    title: 'Choose a new password',
    status,
    body: html`${problem(wrong)}<p>Every session of your account ends, so sign in again afterwards.</p>
${form({
  action: '/auth/reset',
  hidden: { token },
  fields: newPasswordField('password', 'New password', true),
  submit: 'Set password',
})}`,
  })
}

/** Says the same whether the address is known or not. */
function mailed(reply: FastifyReply, email: string, seconds: number, what: string): FastifyReply {
  const time = seconds >= 3600 ? `${seconds / 3600} hours` : `${seconds / 60} minutes`
  return sendPage(reply, {
    title: 'Look into your mail',
    body: html`<p>We have sent a mail to <strong>${email}</strong> with a link ${what}. It is good for ${time}.</p>
<p>Nothing there? Look among spam, and whether the address is right. <a href="/auth/login">Back</a></p>`,
  })
}

function clickPage(
  reply: FastifyReply,
  request: FastifyRequest,
  { title, action, submit }: { title: string; action: string; submit: string },
): FastifyReply {
  const asked = queryOf(request)
  return sendPage(reply, {
    title,
    body: form({
      action,
      hidden: { token: asked.text('token'), return_to: asked.text('return_to') || undefined },
      fields: html`<p>Go on with the link from your mail.</p>`,
      submit,
    }),
  })
}
