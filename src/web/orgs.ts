import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { fail } from '../core/errors.ts'
import { hasPower, type Role, roles } from '../core/principal.ts'
import { action, done, field, form, problem, select, table, warning, when } from './form.ts'
import { type Content, type Html, html } from './html.ts'
import { sendPage } from './page.ts'
import { fieldsOf, needPerson, orProblem, type Person, queryOf, run, type WebOptions } from './scope.ts'
import { goOn } from './sign-in.ts'

interface Org {
  id: string
  slug: string
  name: string
  plan: string
  status: string
  role: Role
}
interface Member {
  user_id: string
  email: string
  name: string
  role: Role
}
interface Invitation {
  id: string
  email: string
  role: Role
  status: string
  expires_at: string
}
interface Page<Item> {
  items: Item[]
}

const most = 200

/** What was done, by the word behind ?done=. */
const doings: Record<string, string> = {
  chosen: 'You work there from now on.',
  made: 'The organisation is there, and you are its owner.',
  joined: 'You are a member now.',
  left: 'You are no member any more.',
  saved: 'Saved.',
  invited: 'The invitation is on its way by mail.',
  deleted: 'The organisation and all that it had are gone.',
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

/** The orgs of a person: choosing one, making one, who belongs to it, and its end. */
export function orgPages(app: FastifyInstance, options: WebOptions): void {
  const list = async (request: FastifyRequest, reply: FastifyReply, wrong?: string, status = 200) => {
    const person = await needPerson(options, request)
    const [{ items }, { org_id }, terms] = await Promise.all([
      run<Page<Org>>(options, request, 'orgs.list', { limit: most }),
      run<{ org_id: string | null }>(options, request, 'auth.me'),
      run<{ accepted: boolean; version: string | null }>(options, request, 'terms.status'),
    ])
    return sendPage(reply, {
      title: 'Organisations',
      person,
      here: '/orgs',
      status,
      body: html`${problem(wrong)}${done(doings[queryOf(request).text('done')])}${orgList(items, org_id)}
<h2>New organisation</h2>${newOrg(terms.accepted ? null : terms.version, fieldsOf(request).text('name'), fieldsOf(request).text('slug'))}`,
    })
  }
  app.get('/orgs', async (request, reply) => list(request, reply))
  app.post('/orgs', async (request, reply) =>
    orProblem(
      async () => {
        const sent = fieldsOf(request)
        if (sent.text('terms') === 'yes') await run(options, request, 'terms.accept')
        const { slug } = await run<Org>(options, request, 'orgs.create', {
          slug: sent.text('slug'),
          name: sent.text('name'),
        })
        await run(options, request, 'sessions.chooseOrg', { org: slug })
        return goOn(reply, `/orgs/${slug}?done=made`)
      },
      (why, status) => list(request, reply, why, status),
    ),
  )
  app.post('/orgs/choose', async (request, reply) => {
    await run(options, request, 'sessions.chooseOrg', { org: fieldsOf(request).text('org') })
    return goOn(reply, '/orgs?done=chosen')
  })

  onePages(app, options)
  invitationPages(app, options)
}

/** One org: its members, invitations, name, and what its owner may do with it. */
function onePages(app: FastifyInstance, options: WebOptions): void {
  type Request = FastifyRequest<{ Params: { org: string } }>

  const show = async (request: Request, reply: FastifyReply, wrong?: string, status = 200) => {
    const person = await needPerson(options, request)
    const { org: ref } = request.params
    const org = await run<Org>(options, request, 'orgs.get', { org: ref })
    const manages = hasPower(org.role, 'manage')
    const members = await run<Page<Member>>(options, request, 'members.list', { org: ref, limit: most })
    const invitations = manages
      ? await run<Page<Invitation>>(options, request, 'invitations.list', { org: ref, limit: most })
      : { items: [] }
    return sendPage(reply, {
      title: org.name,
      person,
      here: '/orgs',
      status,
      body: html`${problem(wrong)}${done(doings[queryOf(request).text('done')])}
<dl class="facts"><dt>Slug</dt><dd><code>${org.slug}</code></dd><dt>Plan</dt><dd>${org.plan}</dd><dt>You are</dt><dd>${org.role}</dd></dl>
${memberTable(org, person, members.items)}
${manages && invitationSection(org, invitations.items)}
${manages && renameSection(org)}
${ends(org, person, members.items)}`,
    })
  }
  app.get<{ Params: { org: string } }>('/orgs/:org', async (request, reply) => show(request, reply))

  /** A form of this page: runs a command in the org, and comes back. */
  const change = (
    path: string,
    word: string,
    command: string,
    input: (request: Request) => Record<string, unknown>,
    to: (org: string) => string = (org) => `/orgs/${org}`,
  ) =>
    app.post<{ Params: { org: string } }>(`/orgs/:org/${path}`, async (request, reply) =>
      orProblem(
        async () => {
          const { org } = request.params
          await run(options, request, command, { org, ...input(request) })
          return goOn(reply, `${to(encodeURIComponent(org))}?done=${word}`)
        },
        (why, status) => show(request, reply, why, status),
      ),
    )
  const user = (request: Request) => ({ user_id: fieldsOf(request).text('user_id') })
  const away = () => '/orgs'
  /** Deleting takes the slug, typed: a button is pressed by mistake. */
  const confirmed = (request: Request) =>
    fieldsOf(request).text('confirm') === request.params.org
      ? {}
      : fail('validation_failed', 'What you typed is not the slug of this organisation.')

  change('rename', 'saved', 'orgs.update', (request) => ({ name: fieldsOf(request).text('name') }))
  change('members/role', 'saved', 'members.update', (request) => ({
    ...user(request),
    role: fieldsOf(request).text('role'),
  }))
  change('members/remove', 'saved', 'members.remove', user)
  change('transfer', 'saved', 'orgs.transfer', user)
  change('leave', 'left', 'members.leave', () => ({}), away)
  change('delete', 'deleted', 'orgs.delete', confirmed, away)
  app.post<{ Params: { org: string } }>('/orgs/:org/export', async (request, reply) =>
    orProblem(
      async () => goOn(reply, (await run<{ url: string }>(options, request, 'orgs.export', request.params)).url),
      (why, status) => show(request, reply, why, status),
    ),
  )
  change('invitations', 'invited', 'invitations.create', (request) => ({
    email: fieldsOf(request).text('email'),
    role: fieldsOf(request).text('role'),
  }))
  change('invitations/revoke', 'saved', 'invitations.revoke', (request) => ({ id: fieldsOf(request).text('id') }))
}

/** Accepting an invitation, with the link from its mail. */
function invitationPages(app: FastifyInstance, options: WebOptions): void {
  const ask = async (request: FastifyRequest, reply: FastifyReply, token: string, wrong?: string, status = 200) => {
    const person = await needPerson(options, request)
    return sendPage(reply, {
      title: 'Accept an invitation',
      person,
      status,
      body: html`${problem(wrong)}<p>You are signed in as <strong>${person.email}</strong>. The invitation counts for the address that it was sent to.</p>
${form({ action: '/invitations/accept', hidden: { token }, fields: '', submit: 'Join' })}`,
    })
  }
  app.get('/invitations/accept', async (request, reply) => ask(request, reply, queryOf(request).text('token')))
  app.post('/invitations/accept', async (request, reply) => {
    const token = fieldsOf(request).text('token')
    return orProblem(
      async () => {
        const { org } = await run<{ org: Org }>(options, request, 'invitations.accept', { token })
        await run(options, request, 'sessions.chooseOrg', { org: org.slug })
        return goOn(reply, `/orgs/${org.slug}?done=joined`)
      },
      (why, status) => ask(request, reply, token, why, status),
    )
  })
}

function orgList(orgs: readonly Org[], active: string | null): Html {
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

const newOrg = (terms: string | null, name: string, slug: string): Html =>
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

function memberTable(org: Org, person: Person, members: readonly Member[]): Html {
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

function invitationSection(org: Org, invitations: readonly Invitation[]): Html {
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

const renameSection = (org: Org): Html =>
  html`<h2>Name</h2>${form({
    action: `/orgs/${org.slug}/rename`,
    fields: field({ name: 'name', id: 'org-name', label: 'Name of the organisation', value: org.name, maxlength: 100 }),
    submit: 'Save name',
  })}`

/** What ends one's part in it. */
function ends(org: Org, person: Person, members: readonly Member[]): Content {
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

/** The terms, in words. */
export function termsPage(app: FastifyInstance, options: WebOptions): void {
  app.get('/legal/terms', async (_request, reply) => {
    const { terms } = (await options.services()).settings
    if (terms === null) fail('not_found', 'This installation has no terms of use.')
    return sendPage(reply, {
      title: 'Terms of use',
      body: html`<p>Version ${terms}</p><ol>
<li>Molar runs a browser against the addresses that you give it. Give it only those of applications that are yours to test.</li>
<li>What you store here (scenarios, traces, secrets) stays yours. It is used to do what you ask for, and for nothing else.</li>
<li>You keep your credentials to yourself, and tell the operator when one has got away.</li>
<li>The operator may limit, suspend or end what harms the service or others.</li>
<li>The service comes as it is. Its licence says what its makers answer for.</li>
<li>You may take what is yours with you, and end your account and your organisations at any time.</li></ol>`,
    })
  })
}
