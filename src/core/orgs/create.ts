import { z } from 'zod'
import { planOf } from '../billing/index.ts'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { shownName } from '../fields.ts'
import { newId } from '../ids.ts'
import { inPerson } from '../principal.ts'
import { readAcceptance } from '../terms/index.ts'
import { org, showOrg } from './org.ts'
import { findOrg, insertOrg } from './store.ts'

export const createOrg = defineCommand({
  name: 'orgs.create',
  tool: 'molar_create_org',
  toolset: { default: false },
  title: 'Create an org',
  summary: 'Make an org of which the caller becomes the owner. A paid plan waits for its payment.',
  input: z.object({
    slug: z
      .string()
      .regex(/^[a-z][a-z0-9-]{2,31}$/, 'must be 3 to 32 of a-z, 0-9 and -, and begin with a letter')
      .describe('Its name in addresses, which stays'),
    name: shownName.optional().describe('The slug, when left out'),
    plan: z.enum(['free', 'starter', 'pro']).default('free'),
  }),
  output: org,
  rest: { route: 'POST /api/v1/orgs', status: 201 },
  access: { scope: 'mcp:write', tenant: false, credentials: inPerson },
  effect: 'write',
  errors: ['bad_request', 'precondition_failed', 'payment_required', 'conflict'],
  positionals: ['slug'],
  target: (input, output) => output?.id ?? input.slug,
  examples: [
    { title: 'a slug that begins with a digit', input: { slug: '1st' }, error: 'bad_request' },
    { title: 'a slug that is too long', input: { slug: 'a-very-long-name-for-an-org-indeed' }, error: 'bad_request' },
    { title: 'a slug that is taken', input: { slug: 'local' }, error: 'conflict' },
  ],
  async handler({ slug, name = slug, plan: chosen }, context) {
    const { db, principal, settings } = context
    const { accepted, version } = await readAcceptance(context)
    if (!accepted)
      fail('precondition_failed', `Accept the terms of service (version ${version}) first: POST /auth/accept-terms.`)
    const unlimited = settings.plan === 'unlimited' || principal.kind === 'local_owner'
    const plan = unlimited ? 'unlimited' : chosen
    const status = plan === 'unlimited' || plan === 'free' ? 'running' : 'awaiting_payment'
    const most = unlimited ? null : planOf({ plan: 'free', status: 'running' }).plan.orgs
    const id = newId()
    const outcome = await insertOrg(db, { id, slug, name, plan, status, most })
    if (outcome === 'quota')
      fail('payment_required', `You own ${most} orgs, which is all that the plan free gives a person.`, {
        details: { resource: 'orgs', limit: most },
      })
    if (outcome === 'taken') fail('conflict', `There is an org named ${slug} already. Choose another slug.`)
    const made = await findOrg(db, id)
    return showOrg({ ...made!, role: 'owner' })
  },
})
