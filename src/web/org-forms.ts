import { hasPower, type Role, roles } from '../core/principal.ts'
import { action, field, form, select, table, warning, when } from './form.ts'
import { type Content, type Html, html } from './html.ts'
import type { Person } from './scope.ts'

/** What the pages of orgs show. */

export interface Org {
  id: string
  slug: string
  name: string
  plan: string
  status: string
  role: Role
}
export interface Member {
  user_id: string
  email: string
  name: string
  role: Role
}
export interface Invitation {
  id: string
  email: string
  role: Role
  status: string
  expires_at: string
}

/** What each role gives, in words. */
const roleWords: Record<Role, string> = {
  owner: 'Owner: everything, and the org itself',
  admin: 'Admin: members, keys and everything below',
  maintainer: 'Maintainer: scenarios and runs',
  viewer: 'Viewer: looks on',
  billing: 'Billing: plans and invoices',
}
const roleChoices = roles.map((role) => ({ value: role, label: roleWords[role] }))

export function orgList(orgs: readonly Org[], active: string | null): Html {
  if (orgs.length === 0) return html`<p>You belong to none yet. Create one, or follow the link of an invitation.</p>`
  return table(
    'Yours',
    ['Name', 'Slug', 'You are', ''],
    orgs.map(({ id, slug, name, role }) => [
      html`<a href="/orgs/${slug}">${name}</a>${id === active && html` <span class="hint">(you work here)</span>`}`,
      html`<code>${slug}</code>`,
      role,
      id !== active && action('/orgs/choose', 'Work here', { hidden: { org: slug }, label: `Work in ${name}` }),
    ]),
  )
}

export const newOrg = (terms: string | null, name: string, slug: string): Html =>
  form({
    action: '/orgs',
    fields: [
      field({ name: 'name', label: 'Name', value: name, autocomplete: 'organization', maxlength: 100 }),
      field({
        name: 'slug',
        label: 'Slug',
        value: slug,
        hint: 'Its name in addresses, which stays: 3 to 32 of a-z, 0-9 and -',
        pattern: '[a-z][a-z0-9\\-]{2,31}',
        maxlength: 32,
      }),
      terms !== null &&
        html`<label class="choice"><input type="checkbox" name="terms" value="yes" required><span>I accept the <a href="/legal/terms">terms of use</a></span></label>`,
    ],
    submit: 'Create organisation',
  })

export function memberTable(org: Org, person: Person, members: readonly Member[]): Html {
  const manages = hasPower(org.role, 'manage')
  return table(
    'Members',
    ['Name', 'E-mail address', 'Role', ...(manages ? [''] : [])],
    members.map((member) => {
      const { user_id, email, name, role } = member
      const theirs = org.role !== 'owner' && role === 'owner'
      return [
        html`${name}${user_id === person.id && html` <span class="hint">(you)</span>`}`,
        email,
        manages && !theirs ? roleForm(org, member) : role,
        manages &&
          !theirs &&
          user_id !== person.id &&
          action(`/orgs/${org.slug}/members/remove`, 'Remove', {
            hidden: { user_id },
            danger: true,
            label: `Remove ${name}`,
          }),
      ].slice(0, manages ? 4 : 3)
    }),
  )
}

const roleForm = (org: Org, { user_id, name, role }: Member): Html =>
  html`<form class="row-form" method="post" action="/orgs/${org.slug}/members/role"><input type="hidden" name="user_id" value="${user_id}">
<select name="role" aria-label="Role of ${name}">${roles.map(
    (one) => html`<option value="${one}"${one === role && html` selected`}>${one}</option>`,
  )}</select><button class="quiet" aria-label="Save the role of ${name}">Save</button></form>`

export function invitationSection(org: Org, invitations: readonly Invitation[]): Html {
  const open = invitations.filter(({ status }) => status === 'open')
  return html`${table(
    'Open invitations',
    ['E-mail address', 'Role', 'Until', ''],
    open.map(({ id, email, role, expires_at }) => [
      email,
      role,
      when(expires_at),
      action(`/orgs/${org.slug}/invitations/revoke`, 'Take back', {
        hidden: { id },
        danger: true,
        label: `Take back the invitation of ${email}`,
      }),
    ]),
  )}
<h2>Invite somebody</h2>${form({
    action: `/orgs/${org.slug}/invitations`,
    fields: [
      field({ name: 'email', label: 'E-mail address', type: 'email', autocomplete: 'off', maxlength: 254 }),
      select('role', 'Role', roleChoices, 'maintainer'),
    ],
    submit: 'Invite',
  })}`
}

export const renameSection = (org: Org): Html =>
  html`<h2>Name</h2>${form({
    action: `/orgs/${org.slug}/rename`,
    fields: field({ name: 'name', id: 'org-name', label: 'Name of the organisation', value: org.name, maxlength: 100 }),
    submit: 'Save name',
  })}`

/** What ends one's part in it. */
export function ends(org: Org, person: Person, members: readonly Member[]): Content {
  const others = members.filter(({ user_id }) => user_id !== person.id)
  const transfer = hasPower(org.role, 'own') && others.length > 0
  return html`${
    transfer &&
    html`<h2>Give it away</h2>${warning('Somebody else becomes the owner, and you an admin. Only they can give it back.')}${form(
      {
        action: `/orgs/${org.slug}/transfer`,
        fields: select(
          'user_id',
          'New owner',
          others.map(({ user_id, name, email }) => ({ value: user_id, label: `${name} (${email})` })),
        ),
        submit: 'Give it away',
        danger: true,
      },
    )}`
  }
${
  hasPower(org.role, 'own') &&
  html`<h2>Take what is yours with you</h2><p>One archive of all that the organisation has: scenarios, runs, traces, members.</p>
${action(`/orgs/${org.slug}/export`, 'Export everything')}`
}
<h2>Leave</h2>${form({
    action: `/orgs/${org.slug}/leave`,
    fields: html`<p>You see nothing of it any more, and your own tokens in it end. The last owner cannot leave.</p>`,
    submit: 'Leave',
    danger: true,
  })}${
    hasPower(org.role, 'own') &&
    html`<h2>Delete</h2>${warning('Everything goes: scenarios, runs, traces, secrets, keys and members. It cannot be undone.')}${form(
      {
        action: `/orgs/${org.slug}/delete`,
        fields: field({
          name: 'confirm',
          label: html`Type <code>${org.slug}</code> to make sure`,
          autocomplete: 'off',
        }),
        submit: 'Delete organisation',
        danger: true,
      },
    )}`
  }`
}
