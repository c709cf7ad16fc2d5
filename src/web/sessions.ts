import type { FastifyInstance } from 'fastify'
import type { App } from '../core/apps/index.ts'
import { scopes } from '../core/principal.ts'
import { action, done, table, when } from './form.ts'
import { html } from './html.ts'
import { sendPage } from './page.ts'
import { fieldsOf, needPerson, queryOf, run, type WebOptions } from './scope.ts'
import { goOn } from './visit.ts'

interface Shown {
  id: string
  current: boolean
  ip_address: string | null
  user_agent: string | null
  created_at: string
  last_used_at: string
}

type ShownApp = App & { created_at: string; last_used_at: string }

/** Where I am signed in, and which apps act for me. */
export function sessionPages(app: FastifyInstance, options: WebOptions): void {
  app.get('/account/sessions', async (request, reply) => {
    const person = await needPerson(options, request)
    const { items } = await run<{ items: Shown[] }>(options, request, 'sessions.list', { limit: 100 })
    const apps = await run<{ items: ShownApp[] }>(options, request, 'apps.list', { limit: 100 })
    const others = items.some(({ current }) => !current)
    return sendPage(reply, {
      title: 'Sessions and apps',
      person,
      here: '/account/sessions',
      body: html`${done(queryOf(request).text('done') === 'ended' && 'It has ended.')}
${table(
  'Where you are signed in',
  ['Browser', 'Address', 'Since', 'Last used', ''],
  items.map((one) => [
    html`${browserOf(one.user_agent)}${one.current && html` <span class="hint">(this one)</span>`}`,
    one.ip_address,
    when(one.created_at),
    when(one.last_used_at),
    !one.current &&
      action('/account/sessions/end', 'End', {
        hidden: { id: one.id },
        danger: true,
        label: `End the session in ${browserOf(one.user_agent)} of ${one.created_at.slice(0, 10)}`,
      }),
  ]),
)}${others && html`<p class="buttons">${action('/account/sessions/end-others', 'End all other sessions')}</p>`}
${table(
  'Apps that act for you',
  ['App', 'In', 'May', 'Last used', ''],
  apps.items.map(({ id, name, org, scopes: held, last_used_at }) => [
    name,
    org.name,
    html`<ul class="plain">${held.map((scope) => html`<li>${scopes[scope]}</li>`)}</ul>`,
    when(last_used_at),
    action('/account/apps/disconnect', 'Disconnect', { hidden: { id }, danger: true, label: `Disconnect ${name}` }),
  ]),
  'None is connected. Apps ask for you when you connect them.',
)}`,
    })
  })
  app.post('/account/sessions/end', async (request, reply) => {
    await run(options, request, 'sessions.revoke', { id: fieldsOf(request).text('id') })
    return goOn(reply, '/account/sessions?done=ended')
  })
  app.post('/account/apps/disconnect', async (request, reply) => {
    await run(options, request, 'apps.revoke', { id: fieldsOf(request).text('id') })
    return goOn(reply, '/account/sessions?done=ended')
  })
  app.post('/account/sessions/end-others', async (request, reply) => {
    await run(options, request, 'sessions.revokeOthers')
    return goOn(reply, '/account/sessions?done=ended')
  })
}

/** `Firefox on Linux`: enough to know one's own by. */
function browserOf(agent: string | null): string {
  if (!agent) return 'Unknown'
  const name = /(Firefox|Edg|OPR|HeadlessChrome|Chrome|Safari)\//.exec(agent)?.[1] ?? agent.split('/')[0]!.slice(0, 40)
  const system = /(Windows|Mac OS X|Android|iPhone|iPad|Linux)/.exec(agent)?.[1]
  const names: Record<string, string> = { Edg: 'Edge', OPR: 'Opera', HeadlessChrome: 'Chrome' }
  return `${names[name] ?? name}${system ? ` on ${system.replace('Mac OS X', 'macOS')}` : ''}`
}
