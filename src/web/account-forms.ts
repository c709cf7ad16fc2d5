import { renderSVG } from 'uqr'
import type { Account } from '../core/account/index.ts'
import { action, field, form, table, warning, when } from './form.ts'
import { type Content, type Html, html } from './html.ts'
import { newPasswordField } from './sign-in-forms.ts'

/** What the pages of one's own account show. */

const passwordField = (id: string) =>
  field({
    name: 'password',
    id,
    label: 'Your password',
    type: 'password',
    autocomplete: 'current-password',
    maxlength: 256,
  })

export function accountBody(account: Account): Html {
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

export function newTwoFactor({
  uri,
  secret,
  backupCodes,
}: {
  uri: string
  secret: string
  backupCodes: string[]
}): Html {
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

export function farewellBody(password: boolean): Html {
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
