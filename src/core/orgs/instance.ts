import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { id, slug } from '../fields.ts'
import { orgRef } from '../org-ref.ts'
import { org } from './org.ts'
import { findInstance } from './store.ts'

export const orgInstance = defineCommand({
  name: 'orgs.instance',
  tool: 'molar_org_instance',
  toolset: { default: false },
  title: 'Where an org is',
  summary: 'The address at which an org is served, for whoever routes requests to it. Public.',
  input: z.object({ org: orgRef }),
  output: z.object({ org_id: id, slug, status: org.shape.status, url: z.string().nullable() }),
  rest: 'GET /api/v1/orgs/{org}/instance',
  access: { scope: 'mcp:read', power: 'belong', public: true },
  effect: 'read',
  errors: ['bad_request', 'not_found'],
  examples: [
    { title: 'one that is there', input: { org: 'local' }, output: { slug: 'local', status: 'running' } },
    { title: 'one that is not there', input: { org: 'no-such-org' }, error: 'not_found' },
  ],
  async handler(input, { db, publicUrl }) {
    const { id, slug, status } =
      (await findInstance(db, input.org)) ?? fail('not_found', `There is no org ${input.org}.`)
    return { org_id: id, slug, status, url: publicUrl }
  },
})
