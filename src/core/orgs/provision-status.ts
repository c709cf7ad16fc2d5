import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { orgRef } from '../org-ref.ts'
import { org } from './org.ts'
import { findOrg } from './store.ts'

export const provisionStatus = defineCommand({
  name: 'orgs.provisionStatus',
  tool: 'molar_org_status',
  toolset: { default: false },
  title: 'How far an org is',
  summary: 'Whether an org is ready: awaiting_payment and provisioning go on, running and failed are the end.',
  input: z.object({ org: orgRef }),
  output: z.object({ status: org.shape.status, url: z.string().nullable().describe('Where it is reached') }),
  rest: 'GET /api/v1/orgs/{org}/provision-status',
  access: { scope: 'mcp:read', power: 'belong', org: 'org' },
  effect: 'read',
  errors: ['bad_request', 'not_found'],
  examples: [
    { title: 'one that is ready', input: { org: 'local' }, output: { status: 'running' } },
    { title: 'one that is not there', input: { org: 'no-such-org' }, error: 'not_found' },
  ],
  async handler(_input, { db, principal, publicUrl }) {
    const { status } =
      (await findOrg(db, principal.org.id)) ?? fail('not_found', `There is no org ${principal.org.slug}.`)
    return { status, url: status === 'running' ? publicUrl : null }
  },
})
