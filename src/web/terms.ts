import type { FastifyInstance } from 'fastify'
import { fail } from '../core/errors.ts'
import { html } from './html.ts'
import { sendPage } from './page.ts'
import type { WebOptions } from './scope.ts'

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
