import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { id, slug } from '../fields.ts'
import { inPerson } from '../principal.ts'
import { chooseOrg as moveTo } from './store.ts'

export const chooseOrg = defineCommand({
  name: 'sessions.chooseOrg',
  tool: 'molar_choose_org',
  toolset: { default: false },
  title: 'Choose an org',
  summary: 'The org that your session works in from now on, where a request names none.',
  input: z.object({ org: slug.describe('Its slug or id') }),
  output: z.object({ id, slug, name: z.string() }),
  rest: 'POST /v1/sessions/org',
  access: { scope: 'mcp:write', tenant: false, credentials: inPerson },
  effect: 'write',
  repeatable: true,
  errors: ['not_found'],
  target: (_input, output) => output?.id,
  positionals: ['org'],
  examples: [
    { title: 'the local org', input: { org: 'local' }, output: { slug: 'local' } },
    { title: 'an org of others, or none', input: { org: 'no-such-org' }, error: 'not_found' },
  ],
  handler: async ({ org }, { db, principal }) =>
    (await moveTo(db, principal.id, org)) ?? fail('not_found', `You are a member of no org ${org}.`),
})
