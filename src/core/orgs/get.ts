import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { orgRef } from '../org-ref.ts'
import { org, showOrg } from './org.ts'
import { findOrg } from './store.ts'

export const getOrg = defineCommand({
  name: 'orgs.get',
  tool: 'molar_get_org',
  toolset: { default: false },
  title: 'Get an org',
  summary: 'An org that the caller belongs to: its name, plan, status and credits.',
  input: z.object({ org: orgRef }),
  output: org,
  rest: 'GET /api/v1/orgs/{org}',
  access: { scope: 'mcp:read', power: 'belong', org: 'org' },
  effect: 'read',
  errors: ['bad_request', 'not_found'],
  resource: { uri: 'molar://orgs/{org}', name: 'An org' },
  examples: [
    { title: 'by its slug', input: { org: 'local' }, output: { slug: 'local', plan: 'unlimited', status: 'running' } },
    { title: 'one that is not there', input: { org: 'no-such-org' }, error: 'not_found' },
  ],
  async handler(_input, { db, principal }) {
    const row = (await findOrg(db, principal.org.id)) ?? fail('not_found', `There is no org ${principal.org.slug}.`)
    return showOrg({ ...row, role: principal.role })
  },
})
