import type { FastifyReply, FastifyRequest } from 'fastify'
import type { People } from '../auth/people.ts'
import { done, field, form, problem } from './form.ts'
import { type Content, html } from './html.ts'
import { sendPage } from './page.ts'
import { queryOf } from './scope.ts'

/** What signing up and in shows. */

export const query = (values: Record<string, string | undefined>): string => {
  const kept = Object.entries(values).filter((one): one is [string, string] => one[1] !== undefined)
  return kept.length === 0 ? '' : `?${new URLSearchParams(kept)}`
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

export function signUpPage(reply: FastifyReply, { back, name, email, wrong, status = 200 }: Tried): FastifyReply {
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

export function loginPage(
  reply: FastifyReply,
  people: People,
  { back, email, wrong, well, again, status = 200 }: Tried & { well?: string; again?: boolean },
): FastifyReply {
  const outside = people.providers.map(
    ({ id, name }) =>
      html`<a class="button quiet" href="/auth/login${query({ provider: id, return_to: back })}">Continue with ${name}</a>`,
  )
  return sendPage(reply, {
    title: again ? 'Sign in again' : 'Sign in',
    status,
    scripts: ['passkeys.js'],
    body: html`${problem(wrong)}${done(well)}${again && html`<p>What you are about to do reaches far: show once more that it is you.</p>`}
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

export function secondFactorPage(
  reply: FastifyReply,
  { back, wrong, status = 200, backup }: Tried & { backup?: boolean },
) {
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

export function forgotPage(reply: FastifyReply, { email, wrong, status = 200 }: Tried): FastifyReply {
  return sendPage(reply, {
    title: 'Choose a new password',
    status,
    body: html`${problem(wrong)}<p>We send a link to your address, with which you choose a new one.</p>
${form({ action: '/auth/forgot', fields: emailField(email), submit: 'Send me a link' })}`,
  })
}

export function resetPage(
  reply: FastifyReply,
  { token, wrong, status = 200 }: Tried & { token: string },
): FastifyReply {
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
export function mailed(reply: FastifyReply, email: string, seconds: number, what: string): FastifyReply {
  const time = seconds >= 3600 ? `${seconds / 3600} hours` : `${seconds / 60} minutes`
  return sendPage(reply, {
    title: 'Look into your mail',
    body: html`<p>We have sent a mail to <strong>${email}</strong> with a link ${what}. It is good for ${time}.</p>
<p>Nothing there? Look among spam, and whether the address is right. <a href="/auth/login">Back</a></p>`,
  })
}

export function clickPage(
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
