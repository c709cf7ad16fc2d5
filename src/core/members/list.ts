import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { page, pageInput } from '../fields.ts'
import { orgRef } from '../org-ref.ts'
import { member } from './member.ts'
import { findMembers } from './store.ts'

export const listMembers = defineCommand({
  name: 'members.list',
  tool: 'molar_list_members',
  toolset: { default: false },
  title: 'List members',
  summary: 'The people of an org and their roles, those who came first ahead.',
  input: z.object({ org: orgRef, ...pageInput }),
  output: page(member),
  rest: { route: 'GET /api/v1/orgs/{org}/members', envelope: 'members' },
  access: { scope: 'mcp:read', power: 'belong', org: 'org' },
  effect: 'read',
  errors: ['not_found'],
  examples: [
    { title: 'one’s own org', input: { org: 'local' }, output: { items: [{ role: 'owner' }] } },
    { title: 'an org that is not there', input: { org: 'no-such-org' }, error: 'not_found' },
  ],
  async handler({ limit, cursor }, { db, pages }) {
    const rows = await findMembers(db, pages.after(cursor), limit + 1)
    return pages.of(rows, limit, ({ created_at, user_id }) => ({ created_at, user_id }))
  },
})
