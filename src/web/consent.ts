import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Provider } from 'oidc-provider'
import { type Asked, approve, deny, readAsked } from '../auth/oauth/consent.ts'
import { oauthPaths } from '../auth/oauth/resource.ts'
import { listMemberships, type Membership } from '../auth/oauth/store.ts'
import { fail } from '../core/errors.ts'
import { scopes } from '../core/principal.ts'
import { choices, form } from './form.ts'
import { type Content, type Html, html } from './html.ts'
import { sendPage } from './page.ts'
import { fieldsOf, needPerson, type WebOptions } from './scope.ts'

/** Whether an app may act for the person who is signed in, and in which of their orgs. */
export function consentPages(app: FastifyInstance, options: WebOptions & { oauth(): Promise<Provider> }): void {
  const path = `${oauthPaths.consent}/:uid`

  app.get(path, async (request, reply) => {
    const person = await needPerson(options, request)
    const asked = await ask(options, request, reply.raw)
    const { db } = await options.services()
    const orgs = await listMemberships(db.system, person.id, person.sessionId)
    return sendPage(reply, {
      title: `Connect ${asked.client.name}?`,
      body: orgs.length > 0 ? question(asked, orgs) : noOrg(asked),
      person,
      formTargets: asked.redirectOrigin === null ? [] : [asked.redirectOrigin],
    })
  })

  app.post(path, async (request, reply) => {
    await needPerson(options, request)
    const asked = await ask(options, request, reply.raw)
    const fields = fieldsOf(request)
    const context = { ...options.contextOf(request), door: 'web' as const }
    const { db, keyring, authenticate } = await options.services()
    const no = fields.text('answer') === 'no'
    const principal = await authenticate(context.credential, no ? { tenant: false } : { org: fields.text('org') })
    const provider = await options.oauth()
    const answering = { provider, request: request.raw, reply: reply.raw, db, keyring, principal, context }
    return reply.redirect(await (no ? deny : approve)(answering, asked), 303)
  })
}

async function ask(
  { oauth }: { oauth(): Promise<Provider> },
  request: FastifyRequest,
  reply: Parameters<typeof readAsked>[2],
): Promise<Asked> {
  const asked = await readAsked(await oauth(), request.raw, reply)
  // Two windows with a question each: the cookie knows the later one only.
  if (asked.uid !== (request.params as { uid: string }).uid)
    fail('not_found', 'Another request came in between. Start this one again from the app.')
  return asked
}

function question(asked: Asked, orgs: readonly Membership[]): Html {
  const chosen = orgs.length === 1 || orgs[0]?.active ? orgs[0]?.id : undefined
  const fields = html`<p>${origin(asked)}</p>
<h2>What it may do</h2>
<ul>${asked.scopes.map((scope) => html`<li>${scopes[scope]}</li>`)}</ul>
<p class="hint">It acts as you: what your role in the organisation does not allow, it cannot do. You can disconnect it at any time under Sessions and apps.</p>
${choices(
  'org',
  'In which organisation?',
  orgs.map(({ id, name, slug, role }) => ({ value: id, label: name, hint: `${slug}, you are ${role}` })),
  chosen,
)}`
  return form({ action: `${oauthPaths.consent}/${asked.uid}`, fields, submit: 'Connect', more: refusal })
}

const refusal = html`<button class="quiet" name="answer" value="no" formnovalidate>Do not connect</button>`

/** Apps choose their names themselves; where the answer goes is what they cannot make up. */
function origin({ client, redirectHost }: Asked): Content {
  const name = html`<strong>${client.name}</strong>`
  if (redirectHost === null)
    return html`${name} wants to act for you, on a device that showed you a code. Connect it only if you started this yourself, just now, on a device of yours.`
  if (redirectHost.endsWith(':'))
    return html`${name} wants to act for you. You will be sent back to the app on this computer that opens <strong>${redirectHost}</strong> links.`
  const own = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(redirectHost)
  return html`${name} wants to act for you. You will be sent back to ${
    own ? html`a program on this computer (<strong>${redirectHost}</strong>)` : html`<strong>${redirectHost}</strong>`
  }. Connect it only if that is where you came from.`
}

const noOrg = (asked: Asked): Html => html`<p>${origin(asked)}</p>
<p>You belong to no organisation yet, so there is nothing that it could do. <a href="/orgs">Create one</a>, or accept an invitation, and start again from the app.</p>
${form({ action: `${oauthPaths.consent}/${asked.uid}`, fields: '', submit: 'Back to the app', hidden: { answer: 'no' } })}`
