import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { id } from '../fields.ts'
import { orgRef } from '../org-ref.ts'
import { inPerson } from '../principal.ts'
import { memberToChange, refuseAboveOneself } from './last-owner.ts'
import { member } from './member.ts'
import { deleteMember } from './store.ts'

export const removeMember = defineCommand({
  name: 'members.remove',
  tool: 'molar_remove_member',
  toolset: { default: false },
  title: 'Remove a member',
  summary: 'Take a person out of an org; their own tokens in it end at once. The last owner stays.',
  input: z.object({ org: orgRef, user_id: id }),
  output: member,
  rest: { route: 'DELETE /api/v1/orgs/{org}/members/{user_id}', status: 204 },
  access: { scope: 'mcp:write', power: 'manage', org: 'org', credentials: inPerson },
  effect: 'destroy',
  errors: ['not_found', 'conflict'],
  target: (input) => input.user_id,
  examples: [
    {
      title: 'somebody who is no member',
      input: { org: 'local', user_id: '019301c0-cafe-7000-bea7-00000000dead' },
      error: 'not_found',
    },
  ],
  async handler({ user_id }, { db, principal }) {
    const found = await memberToChange(db, principal, user_id)
    refuseAboveOneself(principal, found.role)
    await deleteMember(db, user_id)
    return found
  },
})
