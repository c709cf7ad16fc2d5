import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { id } from '../fields.ts'
import { findMember, member, setRole, settleMembers } from '../members/index.ts'
import { orgRef } from '../org-ref.ts'
import { inPerson } from '../principal.ts'

export const transferOrg = defineCommand({
  name: 'orgs.transfer',
  tool: 'molar_transfer_org',
  toolset: { default: false },
  title: 'Give an org away',
  summary: 'Make another member the owner of an org. The owner who does so becomes an admin.',
  input: z.object({ org: orgRef, user_id: id.describe('The member who becomes the owner') }),
  output: member,
  rest: 'POST /api/v1/orgs/{org}/transfer',
  access: { scope: 'mcp:write', power: 'own', org: 'org', credentials: inPerson, fresh: true },
  effect: 'write',
  errors: ['bad_request', 'not_found', 'conflict'],
  positionals: ['user_id'],
  target: (input) => input.user_id,
  examples: [
    {
      title: 'to somebody who is no member',
      input: { org: 'local', user_id: '019301c0-cafe-7000-bea7-00000000dead' },
      error: 'not_found',
    },
  ],
  async handler({ user_id }, { db, principal }) {
    await settleMembers(db, principal)
    if (user_id === principal.user!.id) fail('conflict', 'You are the owner of this org already.')
    if (!(await findMember(db, user_id))) fail('not_found', `There is no member ${user_id}. members.list shows them.`)
    await setRole(db, user_id, 'owner')
    await setRole(db, principal.user!.id, 'admin')
    return (await findMember(db, user_id))!
  },
})
