import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { fail } from '../core/errors.ts'
import { hasPower } from '../core/principal.ts'
import { done, form, problem } from './form.ts'
import { html } from './html.ts'
import {
  ends,
  type Invitation,
  invitationSection,
  type Member,
  memberTable,
  newOrg,
  type Org,
  orgList,
  renameSection,
} from './org-forms.ts'
import { sendPage } from './page.ts'
import { fieldsOf, needPerson, orProblem, queryOf, run, type WebOptions } from './scope.ts'
import { goOn } from './visit.ts'

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
