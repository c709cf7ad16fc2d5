import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { id, slug } from '../fields.ts'
import { newId } from '../ids.ts'
import { settleMembers } from '../members/index.ts'
import { orgRef } from '../org-ref.ts'
import { inPerson } from '../principal.ts'
import { purgeOrg } from './purge.ts'
import { beginPurge, purgeSteps } from './purge-store.ts'

export const deleteOrg = defineCommand({
  name: 'orgs.delete',
  tool: 'molar_delete_org',
  toolset: { default: false },
  title: 'Delete an org',
  summary:
    'Delete an org and all that it has: runs, traces, blobs, secrets, keys and members. It cannot be undone. A delete that failed goes on when it is asked for again.',
  input: z.object({ org: orgRef }),
  output: z.object({
    purge_id: id.describe('The record of it that stays'),
    org_id: id,
    slug,
    last_step: z.enum(purgeSteps).nullable(),
  }),
  rest: { route: 'DELETE /api/v1/orgs/{org}', status: 204 },
  access: { scope: 'mcp:write', power: 'own', org: 'org', credentials: inPerson, fresh: true },
  effect: 'destroy',
  errors: ['bad_request', 'not_found', 'conflict', 'purge_failed'],
  target: (input) => input.org,
  examples: [{ title: 'one that is not there', input: { org: 'no-such-org' }, error: 'not_found' }],
  async handler(_input, { db, principal }) {
    const { id: orgId, slug } = principal.org
    await settleMembers(db, principal)
    const purge =
      (await beginPurge(db, { id: newId(), orgId, slug, startedBy: principal.user?.id ?? null })) ??
      fail('conflict', `${slug} is being deleted at this moment.`)
    return { purge_id: purge.id, org_id: orgId, slug, last_step: purge.last_step }
  },
  async follow(purge, _input, context) {
    const { purge_id: id, org_id, slug: org_slug, last_step } = purge
    await purgeOrg({ id, org_id, org_slug, last_step }, context)
    return { ...purge, last_step: purgeSteps.at(-1) ?? null }
  },
})
