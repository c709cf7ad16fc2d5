import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { shownName } from '../fields.ts'
import { orgRef } from '../org-ref.ts'
import { inPerson } from '../principal.ts'
import { org, showOrg } from './org.ts'
import { findOrg, renameOrg } from './store.ts'

export const updateOrg = defineCommand({
  name: 'orgs.update',
  tool: 'molar_update_org',
  toolset: { default: false },
  title: 'Rename an org',
  summary: 'Give an org another name. Its slug stays.',
  input: z.object({ org: orgRef, name: shownName }),
  output: org,
  rest: 'PATCH /api/v1/orgs/{org}',
  access: { scope: 'mcp:write', power: 'manage', org: 'org', credentials: inPerson },
  effect: 'write',
  repeatable: true,
  errors: ['bad_request', 'not_found'],
  target: (input) => input.org,
  examples: [
    { title: 'another name', input: { org: 'local', name: 'Local' }, output: { slug: 'local', name: 'Local' } },
    { title: 'an org that is not there', input: { org: 'no-such-org', name: 'X' }, error: 'not_found' },
  ],
  async handler({ name }, { db, principal }) {
    await renameOrg(db, principal.org.id, name)
    const row = (await findOrg(db, principal.org.id)) ?? fail('not_found', `There is no org ${principal.org.slug}.`)
    return showOrg({ ...row, role: principal.role })
  },
})
