import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { page, pageInput } from '../fields.ts'
import { orgRef } from '../org-ref.ts'
import { invitation } from './invitation.ts'
import { findInvitations } from './store.ts'

export const listInvitations = defineCommand({
  name: 'invitations.list',
  tool: 'molar_list_invitations',
  toolset: { name: 'members', default: false },
  title: 'List invitations',
  summary: 'The invitations of an org, newest first, and what became of them.',
  input: z.object({ org: orgRef, ...pageInput }),
  output: page(invitation),
  rest: { route: 'GET /api/v1/orgs/{org}/invitations', envelope: 'invitations' },
  access: { scope: 'mcp:read', power: 'manage', org: 'org' },
  effect: 'read',
  errors: ['not_found'],
  examples: [
    { title: 'one’s own org', input: { org: 'local', limit: 1 }, output: { truncated: false } },
    { title: 'an org that is not there', input: { org: 'no-such-org' }, error: 'not_found' },
  ],
  async handler({ limit, cursor }, { db, pages }) {
    const rows = await findInvitations(db, pages.after(cursor), limit + 1)
    return pages.of(rows, limit, ({ created_at, id }) => ({ created_at, id }))
  },
})
