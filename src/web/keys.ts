import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Key } from '../core/keys/index.ts'
import { hasPower, type Role, type Scope, scopes } from '../core/principal.ts'
import { action, checkboxes, done, field, form, problem, select, table, warning, when } from './form.ts'
import { type Content, type Html, html } from './html.ts'
import { sendPage } from './page.ts'
import { fieldsOf, needPerson, orProblem, queryOf, run, type WebOptions } from './scope.ts'
import { goOn } from './sign-in.ts'

interface Org {
  id: string
  slug: string
  name: string
  role: Role
}

const day = 86_400_000
/** Days before its end from which on a key is warned about. */
const soon = 14
const lifetimes = [
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '365', label: 'a year' },
  { value: '', label: 'never ends' },
]
const usual: Scope[] = ['mcp:read', 'mcp:write', 'mcp:run', 'mcp:trace:read']

/** The keys of the org that the person works in. */
export function keyPages(app: FastifyInstance, options: WebOptions): void {
  const show = async (
    request: FastifyRequest,
    reply: FastifyReply,
    told: { wrong?: string; made?: string },
    status = 200,
  ) => {
    const person = await needPerson(options, request)
    const org = await active(options, request)
    if (!org) return goOn(reply, '/orgs')
    const manages = hasPower(org.role, 'manage')
    const { items } = manages
      ? await run<{ items: Key[] }>(options, request, 'keys.list', { limit: 200 }, org.id)
      : { items: [] }
    const live = items.filter(({ revoked_at }) => revoked_at === null)
    return sendPage(reply, {
      title: 'Keys and tokens',
      person,
      here: '/keys',
      status,
      body: html`${problem(told.wrong)}${done(queryOf(request).text('done') === 'revoked' && 'The key is revoked.')}
<p>Of <strong>${org.name}</strong>. <a href="/orgs">Another organisation</a></p>
${told.made && fresh(told.made)}${
  manages
    ? html`${live.map(expiring)}${keyTable(live)}<h2>New key</h2>${newKey()}`
    : html`<p>Keys of an organisation are its owners’ and admins’.</p>`
}`,
    })
  }
  app.get('/keys', async (request, reply) => show(request, reply, {}))
  app.post('/keys', async (request, reply) =>
    orProblem(
      async () => {
        const sent = fieldsOf(request)
        const days = Number(sent.text('days'))
        const input = {
          name: sent.text('name'),
          scopes: sent.all('scopes'),
          ...(days > 0 && { expires_at: new Date(Date.now() + days * day).toISOString() }),
        }
        const org = await active(options, request)
        const { api_key } = await run<{ api_key: string }>(options, request, 'keys.create', input, org?.id)
        return show(request, reply, { made: api_key }, 201)
      },
      (wrong, status) => show(request, reply, { wrong }, status),
    ),
  )
  app.post('/keys/revoke', async (request, reply) => {
    const org = await active(options, request)
    await run(options, request, 'keys.revoke', { id: fieldsOf(request).text('id') }, org?.id)
    return goOn(reply, '/keys?done=revoked')
  })
}

/** The org that the person works in. */
async function active(options: WebOptions, request: FastifyRequest): Promise<Org | undefined> {
  const { org_id } = await run<{ org_id: string | null }>(options, request, 'auth.me')
  return org_id === null ? undefined : run<Org>(options, request, 'orgs.get', { org: org_id })
}

const fresh = (key: string): Html => html`<div class="card" role="status"><h2>Your new key</h2>
<p>Copy it now: it is not shown again.</p><pre tabindex="0"><code>${key}</code></pre></div>`

function expiring({ name, expires_at }: Key): Content {
  if (!expires_at) return undefined
  const left = Math.floor((new Date(String(expires_at)).getTime() - Date.now()) / day)
  if (left >= soon) return undefined
  return warning(
    left < 0
      ? html`The key <strong>${name}</strong> has run out.`
      : html`The key <strong>${name}</strong> runs out ${left === 0 ? 'within a day' : `in ${left} days`}. Make a new one, put it in its place, and revoke this one.`,
  )
}

const keyTable = (keys: readonly Key[]): Html =>
  table(
    'API keys',
    ['Name', 'Begins with', 'May', 'Last used', 'Until', ''],
    keys.map(({ id, name, prefix, scopes: held, last_used_at, expires_at }) => [
      name,
      html`<code>${prefix}</code>`,
      held.join(', '),
      when(last_used_at as string | null),
      when(expires_at as string | null),
      action('/keys/revoke', 'Revoke', { hidden: { id }, danger: true, label: `Revoke the key ${name}` }),
    ]),
  )

const newKey = (): Html =>
  form({
    action: '/keys',
    fields: [
      field({ name: 'name', label: 'What or whom it is for', maxlength: 100 }),
      checkboxes(
        'scopes',
        'What it may do',
        Object.entries(scopes).map(([value, label]) => ({ value, label, hint: value })),
        usual,
      ),
      select('days', 'How long', lifetimes, '90'),
    ],
    submit: 'Create key',
  })
