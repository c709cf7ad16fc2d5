import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { page, pageInput } from '../fields.ts'
import { inPerson } from '../principal.ts'
import { org, showOrg } from './org.ts'
import { findOrgs } from './store.ts'

export const listOrgs = defineCommand({
  name: 'orgs.list',
  tool: 'molar_list_orgs',
  toolset: { default: false },
  title: 'List orgs',
  summary: 'The orgs that the signed-in person belongs to, newest first, with their role in each.',
  input: z.object(pageInput),
  output: page(org),
  rest: { route: 'GET /api/v1/orgs', envelope: 'orgs' },
  access: { scope: 'mcp:read', tenant: false, credentials: inPerson },
  effect: 'read',
  errors: ['bad_request'],
  examples: [{ title: 'one’s own org', input: {}, output: { items: [{ slug: 'local', role: 'owner' }] } }],
  async handler({ limit, cursor }, { db, pages, principal }) {
    const rows = await findOrgs(db, principal.user!.id, pages.after(cursor), limit + 1)
    return pages.of(rows.map(showOrg), limit, (row) => ({ created_at: row.created_at, id: row.id }))
  },
})
