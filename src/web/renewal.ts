import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { form, problem } from './form.ts'
import { html } from './html.ts'
import { sendPage } from './page.ts'
import { fieldsOf, orProblem, queryOf, run, type WebOptions } from './scope.ts'

/** Renewing a key with the link from the mail before its end. Opening it does nothing yet: mail scanners open links too. */
export function renewalPages(app: FastifyInstance, options: WebOptions): void {
  const ask = (reply: FastifyReply, hidden: { id: string; token: string }, wrong?: string, status = 200) =>
    sendPage(reply, {
      title: 'Renew a key',
      status,
      body: html`${problem(wrong)}<p>The key lasts as long again as it was made for. The link is good once.</p>
${form({ action: '/keys/renew', hidden, fields: '', submit: 'Renew' })}`,
    })
  app.get('/keys/renew', async (request, reply) => {
    const query = queryOf(request)
    return ask(reply, { id: query.text('id'), token: query.text('token') })
  })
  app.post('/keys/renew', async (request, reply) => {
    const sent = fieldsOf(request)
    const [id, token] = [sent.text('id'), sent.text('token')]
    return orProblem(
      async () => {
        const { name, expires_at } = await run<{ name: string; expires_at: string }>(
          byLink(options, token),
          request,
          'tokens.renew',
          { id },
        )
        return sendPage(reply, {
          title: 'Renewed',
          body: html`<p role="status"><strong>${name}</strong> is good until ${expires_at.slice(0, 10)}.</p>`,
        })
      },
      (wrong, status) => ask(reply, { id, token }, wrong, status),
    )
  })
}

/** The link says who asks, whoever is signed in. */
const byLink = (options: WebOptions, token: string): WebOptions => ({
  ...options,
  contextOf: (request: FastifyRequest) => ({
    ...options.contextOf(request),
    credential: { kind: 'signed', token },
    org: undefined,
  }),
})
