import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { id, slug } from '../fields.ts'
import { isWellFormedToken } from '../keys/index.ts'
import { role } from '../members/index.ts'
import { inPerson } from '../principal.ts'
import { acceptInvitation as accept, findJoined } from './store.ts'

export const acceptInvitation = defineCommand({
  name: 'invitations.accept',
  tool: 'molar_accept_invitation',
  toolset: { name: 'members', default: false },
  title: 'Accept an invitation',
  summary: 'Join the org that an invitation’s mail is about. It takes the person whose address was invited.',
  input: z.object({ token: z.string().max(100).describe('What the link in the mail has behind token=') }),
  output: z.object({
    org: z.object({ id, slug, name: z.string() }),
    role,
    joined: z.boolean().describe('false: the person was a member already, and keeps their role'),
  }),
  rest: 'POST /api/v1/invitations/accept',
  access: { scope: 'mcp:write', tenant: false, credentials: inPerson },
  effect: 'write',
  errors: ['not_found', 'forbidden'],
  positionals: ['token'],
  target: (_input, output) => output?.org.id,
  examples: [{ title: 'a token that is none', input: { token: 'molar_inv_x' }, error: 'not_found' }],
  async handler({ token }, { db, keyring, principal }) {
    const absent = 'There is no such invitation: it was accepted, taken back or has run out. Ask for a new one.'
    if (!isWellFormedToken(token)) fail('not_found', absent)
    const { outcome, org_id } = await accept(db, keyring.fingerprint(token))
    if (outcome === 'absent') fail('not_found', absent)
    if (outcome === 'another')
      fail('forbidden', `The invitation is for another address than ${principal.user!.email}. Sign in with that one.`)
    if (outcome === 'unverified')
      fail('forbidden', `Confirm that ${principal.user!.email} is yours first: follow the link in the mail about it.`)
    const { role, ...org } = await findJoined(db, org_id!, principal.user!.id)
    return { org, role, joined: outcome === 'joined' }
  },
})
