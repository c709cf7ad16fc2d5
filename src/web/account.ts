import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { renderSVG } from 'uqr'
import {
  addPasskey,
  beginTwoFactor,
  changeEmail,
  changePassword,
  checkPassword,
  confirmTwoFactor,
  endTwoFactor,
  newPasskeyChallenge,
} from '../auth/changes.ts'
import { passkeyChallenge, signInByPasskey } from '../auth/sign-in.ts'
import type { Account } from '../core/account/index.ts'
import { fail } from '../core/errors.ts'
import { action, done, field, form, problem, table, warning, when } from './form.ts'
import { type Content, type Html, html } from './html.ts'
import { sendPage } from './page.ts'
import { fieldsOf, needPerson, orProblem, queryOf, run, type WebOptions } from './scope.ts'
import { backTo, goOn, home, newPasswordField, visitorOf } from './sign-in.ts'

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
    const person = await needPerson(options, request)
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
    const person = await needPerson(options, request)
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
        const person = await needPerson(options, request)
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
      person: await needPerson(options, request),
      here: '/account',
      status,
      body: html`${problem(wrong)}${farewellBody((await mine(request)).password)}`,
    })
  app.get('/account/delete', async (request, reply) => farewell(request, reply))
  app.post('/account/delete', async (request, reply) =>
    orProblem(
      async () => {
        const person = await needPerson(options, request)
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

/** What a browser's script asks for: passkeys need one. */
function passkeyRoutes(app: FastifyInstance, options: WebOptions): void {
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
    await needPerson(options, request)
    const told = await newPasskeyChallenge(await people(), visitorOf(request))
    return cookies(reply, told.cookies).send(told.answer)
  })
  app.post('/account/passkeys', async (request, reply) => {
    const { response, name } = bodyOf(request)
    if (text(name) === '') fail('validation_failed', 'Give the passkey a name.')
    const person = await needPerson(options, request)
    const told = await addPasskey(await people(), visitorOf(request), person, {
      response,
      name: text(name).slice(0, 100),
    })
    return cookies(reply, told.cookies).send({ location: '/account?done=passkey' })
  })
}

const passwordField = (id: string) =>
  field({
    name: 'password',
    id,
    label: 'Your password',
    type: 'password',
    autocomplete: 'current-password',
    maxlength: 256,
  })

function accountBody(account: Account): Html {
  return html`
${section(
  'Name',
  form({
    action: '/account/name',
    fields: field({ name: 'name', label: 'Name', autocomplete: 'name', value: account.name, maxlength: 100 }),
    submit: 'Save name',
  }),
)}
${section(
  'E-mail address',
  form({
    action: '/account/email',
    fields: [
      html`<p>Now: <strong>${account.email}</strong></p>`,
      field({ name: 'email', label: 'New address', type: 'email', autocomplete: 'email', maxlength: 320 }),
      account.password && passwordField('email-password'),
    ],
    submit: 'Change address',
  }),
)}
${section('Password', passwordForm(account))}
${section('Two-factor authentication', twoFactorForm(account))}
${section('Passkeys', passkeyForms(account))}
${account.providers.length > 0 && section('Sign-in elsewhere', html`<p>You can also sign in through ${account.providers.join(', ')}.</p>`)}
<p><a href="/account/delete">Delete my account</a></p>`
}

const section = (title: string, content: Content): Html =>
  html`<section class="card" aria-label="${title}"><h2>${title}</h2>${content}</section>`

function passwordForm({ password, email }: Account): Html {
  if (!password)
    return form({
      action: '/auth/forgot',
      hidden: { email },
      fields: html`<p>You have none. We send you a link with which you choose one.</p>`,
      submit: 'Send me a link',
    })
  return form({
    action: '/account/password',
    fields: [
      field({
        name: 'current',
        label: 'Current password',
        type: 'password',
        autocomplete: 'current-password',
        maxlength: 256,
      }),
      newPasswordField('next', 'New password'),
    ],
    submit: 'Change password',
  })
}

function twoFactorForm({ two_factor, password }: Account): Html {
  const own = password && passwordField('two-factor-password')
  if (two_factor)
    return form({
      action: '/account/two-factor/off',
      fields: [html`<p>On: signing in asks for a code of your app.</p>`, own],
      submit: 'Turn it off',
      danger: true,
    })
  return form({
    action: '/account/two-factor',
    fields: [html`<p>Off. With an authenticator app, your password alone is not enough to sign in.</p>`, own],
    submit: 'Set it up',
  })
}

function newTwoFactor({ uri, secret, backupCodes }: { uri: string; secret: string; backupCodes: string[] }): Html {
  const picture = `data:image/svg+xml;base64,${Buffer.from(renderSVG(uri)).toString('base64')}`
  return html`<ol>
<li><p>Scan this with your authenticator app, or type the key there.</p>
<img class="qr" src="${picture}" alt="QR code of the key below"><p>Key: <code>${secret}</code></p></li>
<li><p>Keep these backup codes where you find them without your phone. Each works once, and they are not shown again.</p>
<pre><code>${backupCodes.join('\n')}</code></pre></li>
<li>${form({
    action: '/account/two-factor/confirm',
    fields: field({
      name: 'code',
      label: 'Code that the app shows now',
      autocomplete: 'one-time-code',
      inputmode: 'numeric',
      maxlength: 10,
    }),
    submit: 'Turn it on',
  })}</li></ol>`
}

function passkeyForms({ passkeys }: Account): Html {
  return html`<p>A passkey is kept by your device, and opened with its PIN, your fingerprint or your face. It takes the place of password and code.</p>
${
  passkeys.length > 0 &&
  table(
    'Your passkeys',
    ['Name', 'Made', ''],
    passkeys.map(({ id, name, created_at }) => [
      name ?? 'Passkey',
      when(String(created_at)),
      action('/account/passkeys/remove', 'Remove', {
        hidden: { id },
        danger: true,
        label: `Remove the passkey ${name ?? ''}`,
      }),
    ]),
  )
}
<form data-passkey="add" hidden>${field({ name: 'name', id: 'passkey-name', label: 'Name of the new passkey', maxlength: 100 })}
<div class="buttons"><button>Add a passkey</button></div></form>
<p class="problem" role="alert" data-passkey-problem hidden></p>`
}

function farewellBody(password: boolean): Html {
  return html`${warning('This cannot be undone: your sessions, passkeys, personal tokens and memberships end at once.')}
<p>Organisations of which you are the only owner need another one first, or must be deleted before.</p>
${form({
  action: '/account/delete',
  fields: [
    field({ name: 'confirm', label: 'Your e-mail address, to make sure', type: 'email', autocomplete: 'off' }),
    password && passwordField('password'),
  ],
  submit: 'Delete my account',
  danger: true,
})}`
}
