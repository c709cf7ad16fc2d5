import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { form, problem } from './form.ts'
import { html } from './html.ts'
import { sendPage } from './page.ts'
import { type Fields, fieldsOf, needPerson, orProblem, queryOf, run, type WebOptions } from './scope.ts'

/** Renewing a key, from the mail before its end. The link there says which one, and proves nothing: it may lie for weeks. */
export function renewalPages(app: FastifyInstance, options: WebOptions): void {
  const read = (fields: Fields) => ({ id: fields.text('id'), org: fields.text('org') })
  const ask = async (request: FastifyRequest, reply: FastifyReply, wrong?: string, status = 200) => {
    const person = await needPerson(options, request)
    return sendPage(reply, {
      title: 'Renew a key',
      person,
      here: '/keys',
      status,
      body: html`${problem(wrong)}<p>The key lasts as long again as it was made for.</p>
${form({
  action: '/keys/renew',
  hidden: read(request.method === 'GET' ? queryOf(request) : fieldsOf(request)),
  fields: '',
  submit: 'Renew',
})}`,
    })
  }
  app.get('/keys/renew', async (request, reply) => ask(request, reply))
  app.post('/keys/renew', async (request, reply) =>
    orProblem(
      async () => {
        const person = await needPerson(options, request)
        const { id, org } = read(fieldsOf(request))
        const renewed = await run<{ name: string; expires_at: string }>(options, request, 'tokens.renew', { id }, org)
        return sendPage(reply, {
          title: 'Renewed',
          person,
          here: '/keys',
          body: html`<p role="status"><strong>${renewed.name}</strong> is good until ${renewed.expires_at.slice(0, 10)}.</p>`,
        })
      },
      (wrong, status) => ask(request, reply, wrong, status),
    ),
  )
}
