import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { orgRef } from '../org-ref.ts'
import { inPerson } from '../principal.ts'
import { memberToChange } from './last-owner.ts'
import { member } from './member.ts'
import { deleteMember } from './store.ts'

export const leaveOrg = defineCommand({
  name: 'members.leave',
  tool: 'molar_leave_org',
  toolset: { default: false },
  title: 'Leave an org',
  summary: 'End the caller’s own membership of an org. The last owner cannot leave.',
  input: z.object({ org: orgRef }),
  output: member,
  rest: 'POST /api/v1/orgs/{org}/leave',
  access: { scope: 'mcp:write', power: 'belong', org: 'org', credentials: inPerson },
  effect: 'destroy',
  errors: ['not_found', 'conflict'],
  target: (_input, output) => output?.user_id,
  examples: [{ title: 'the last owner', input: { org: 'local' }, error: 'conflict' }],
  async handler(_input, { db, principal }) {
    const found = await memberToChange(db, principal, principal.user!.id)
    await deleteMember(db, found.user_id)
    return found
  },
})
