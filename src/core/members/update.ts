import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { id } from '../fields.ts'
import { orgRef } from '../org-ref.ts'
import { inPerson } from '../principal.ts'
import { memberToChange, refuseAboveOneself } from './last-owner.ts'
import { member, role } from './member.ts'
import { setRole } from './store.ts'

export const updateMember = defineCommand({
  name: 'members.update',
  tool: 'molar_update_member',
  toolset: { default: false },
  title: 'Change a member’s role',
  summary: 'Give a member another role. Only owners make or change owners; the last one stays.',
  input: z.object({ org: orgRef, user_id: id, role }),
  output: member,
  rest: 'PATCH /api/v1/orgs/{org}/members/{user_id}',
  access: { scope: 'mcp:write', power: 'manage', org: 'org', credentials: inPerson },
  effect: 'write',
  repeatable: true,
  errors: ['not_found', 'conflict'],
  positionals: ['role'],
  target: (input) => input.user_id,
  examples: [
    {
      title: 'somebody who is no member',
      input: { org: 'local', user_id: '019301c0-cafe-7000-bea7-00000000dead', role: 'viewer' },
      error: 'not_found',
    },
  ],
  async handler({ user_id, role }, { db, principal }) {
    const found = await memberToChange(db, principal, user_id, role)
    refuseAboveOneself(principal, role, found.role)
    await setRole(db, user_id, role)
    return { ...found, role }
  },
})
