import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { hasPower, type Role, type Scope, scopes } from '../core/principal.ts'
import { action, checkboxes, choices, done, field, form, problem, select, table, warning, when } from './form.ts'
import { type Content, type Html, html } from './html.ts'
import { sendPage } from './page.ts'
import { fieldsOf, needPerson, orProblem, queryOf, run, type WebOptions } from './scope.ts'
import { goOn } from './visit.ts'

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
]
const usual: Scope[] = ['mcp:read', 'mcp:write', 'mcp:run', 'mcp:trace:read']

/** The person's own tokens in the org that they work in, and the org's keys. */
export function keyPages(app: FastifyInstance, options: WebOptions): void {
  interface Told {
    wrong?: string
    /** A plaintext, shown once. */
    made?: string
  }
  const show = async (request: FastifyRequest, reply: FastifyReply, { wrong, made }: Told, status = 200) => {
    const person = await needPerson(options, request)
    const org = await active(options, request)
    if (!org) return goOn(reply, '/orgs')
    const manages = hasPower(org.role, 'manage')
    const list = (command: string) => run<{ items: Credential[] }>(options, request, command, { limit: 200 }, org.id)
    const [tokens, keys] = await Promise.all([list('tokens.list'), manages ? list('keys.list') : { items: [] }])
    const live = (all: Credential[]) => all.filter(({ revoked_at }) => revoked_at === null)
    return sendPage(reply, {
      title: 'Keys and tokens',
      person,
      here: '/keys',
      status,
      body: html`${problem(wrong)}${done(doings[queryOf(request).text('done')])}
<p>In <strong>${org.name}</strong>. <a href="/orgs">Another organisation</a></p>
${made && fresh(made)}${[...live(tokens.items), ...live(keys.items)].map(expiring)}
${credentials(manages ? 'Tokens' : 'Your tokens', live(tokens.items), 'tokens')}
<h2>New token</h2>${newToken(manages)}
${manages && html`${credentials('API keys', live(keys.items), 'keys')}<h2>New API key</h2>${newKey()}`}`,
    })
  }
  app.get('/keys', async (request, reply) => show(request, reply, {}))

  /** Makes one, and shows its plaintext: never by a redirect, so that it is in no address and no history. */
  const make = (path: string, command: string) =>
    app.post(path, async (request, reply) =>
      orProblem(
        async () => {
          const sent = fieldsOf(request)
          const kind = sent.text('kind')
          const input = {
            name: sent.text('name'),
            scopes: sent.all('scopes'),
            expires_at: new Date(Date.now() + Number(sent.text('days') || 90) * day).toISOString(),
            ...(kind !== '' && { kind }),
          }
          const org = await active(options, request)
          const made = await run<{ api_key?: string; token?: string }>(options, request, command, input, org?.id)
          return show(request, reply, { made: made.token ?? made.api_key ?? '' }, 201)
        },
        (wrong, status) => show(request, reply, { wrong }, status),
      ),
    )
  make('/keys', 'keys.create')
  make('/tokens', 'tokens.create')

  const change = (path: string, command: string, word: string) =>
    app.post(path, async (request, reply) =>
      orProblem(
        async () => {
          const org = await active(options, request)
          await run(options, request, command, { id: fieldsOf(request).text('id') }, org?.id)
          return goOn(reply, `/keys?done=${word}`)
        },
        (wrong, status) => show(request, reply, { wrong }, status),
      ),
    )
  change('/keys/revoke', 'keys.revoke', 'revoked')
  change('/tokens/revoke', 'tokens.revoke', 'revoked')
  change('/tokens/renew', 'tokens.renew', 'renewed')
}

const doings: Record<string, string> = { revoked: 'It is revoked.', renewed: 'It lasts as long again.' }

interface Credential {
  id: string
  kind?: 'pat' | 'svc'
  name: string
  prefix: string
  scopes: Scope[]
  last_used_at: string | null
  expires_at: string | null
  revoked_at: string | null
}

/** The org that the person works in. */
async function active(options: WebOptions, request: FastifyRequest): Promise<Org | undefined> {
  const { org_id } = await run<{ org_id: string | null }>(options, request, 'auth.me')
  return org_id === null ? undefined : run<Org>(options, request, 'orgs.get', { org: org_id })
}

const fresh = (plaintext: string): Html => html`<div class="card" role="status"><h2>Here it is</h2>
<p>Copy it now: it is not shown again.</p><pre tabindex="0"><code>${plaintext}</code></pre></div>`

/** Whole days that are left; undefined where it does not end. */
const daysLeft = ({ expires_at }: Credential): number | undefined =>
  expires_at === null ? undefined : Math.floor((Date.parse(expires_at) - Date.now()) / day)

function expiring(one: Credential): Content {
  const left = daysLeft(one)
  if (left === undefined || left >= soon) return undefined
  const name = html`<strong>${one.name}</strong>`
  if (left < 0) return warning(html`${name} has run out.`)
  return warning(
    html`${name} runs out ${left === 0 ? 'within a day' : `in ${left} days`}. Renew it, or make another one and put it in its place.`,
  )
}

const kinds = { pat: 'yours', svc: 'a program’s' }

const credentials = (caption: string, all: readonly Credential[], noun: 'keys' | 'tokens'): Html =>
  table(
    caption,
    ['Name', 'Begins with', 'May', 'Last used', 'Until', ''],
    all.map((one) => {
      const { id, name, kind, prefix, scopes: held, last_used_at, expires_at } = one
      const renewable = (daysLeft(one) ?? -1) >= 0
      return [
        html`${name}${kind && html` <span class="hint">${kinds[kind]}</span>`}`,
        html`<code>${prefix}</code>`,
        held.join(', '),
        when(last_used_at),
        when(expires_at),
        html`${renewable && action('/tokens/renew', 'Renew', { hidden: { id }, label: `Renew ${name}` })} ${action(
          `/${noun}/revoke`,
          'Revoke',
          { hidden: { id }, danger: true, label: `Revoke ${name}` },
        )}`,
      ]
    }),
  )

/** Name, scopes and end. `id` tells the two forms of the page apart. */
const facts = (
  id: string,
): Html => html`${field({ name: 'name', id: `${id}-name`, label: 'What it is for', maxlength: 100 })}
${checkboxes(
  'scopes',
  'What it may do',
  Object.entries(scopes).map(([value, label]) => ({ value, label, hint: value })),
  usual,
)}${select('days', 'How long', lifetimes, '90', `${id}-days`)}`

const newToken = (manages: boolean): Html =>
  form({
    action: '/tokens',
    id: 'new-token',
    fields: [
      manages &&
        choices(
          'kind',
          'Whose it is',
          [
            { value: 'pat', label: 'Yours', hint: 'It acts as you, with the role that you have' },
            { value: 'svc', label: 'A program’s', hint: 'It stays when you leave' },
          ],
          'pat',
        ),
      facts('token'),
    ],
    submit: 'Create token',
  })

const newKey = (): Html => form({ action: '/keys', id: 'new-key', fields: facts('key'), submit: 'Create key' })
