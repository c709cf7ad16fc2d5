import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { id, slug } from '../fields.ts'
import { inPerson } from '../principal.ts'
import { isMember } from './store.ts'

export const tenantMember = defineCommand({
  name: 'auth.tenantMember',
  tool: 'molar_tenant_member',
  toolset: { default: false },
  title: 'Is the person a member',
  summary: 'Whether the person who asks is a member of this org. An org that is not there has no members.',
  input: z.object({ slug }),
  output: z.object({ member: z.boolean(), user_id: id }),
  rest: 'GET /auth/tenant-member',
  access: { scope: 'mcp:read', tenant: false, credentials: inPerson },
  effect: 'read',
  errors: [],
  examples: [
    { title: 'the local org', input: { slug: 'local' }, output: { member: true } },
    { title: 'an org of others, or none', input: { slug: 'no-such-org' }, output: { member: false } },
  ],
  handler: async ({ slug }, { db, principal }) => ({
    member: await isMember(db, slug),
    user_id: principal.user?.id ?? '',
  }),
})
