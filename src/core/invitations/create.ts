import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { newId } from '../ids.ts'
import { newToken } from '../keys/index.ts'
import { findMemberByEmail, refuseAboveOneself, role, settleMembers } from '../members/index.ts'
import { orgRef } from '../org-ref.ts'
import { inPerson } from '../principal.ts'
import { days, invitation } from './invitation.ts'
import { insertInvitation } from './store.ts'

export const createInvitation = defineCommand({
  name: 'invitations.create',
  tool: 'molar_invite_member',
  toolset: { name: 'members', default: false },
  title: 'Invite somebody',
  summary: 'Mail an invitation to join an org in a role. It runs out after 7 days, and another one takes its place.',
  input: z.object({ org: orgRef, email: z.email().max(254), role: role.default('maintainer') }),
  output: invitation,
  rest: { route: 'POST /api/v1/orgs/{org}/invitations', status: 201 },
  access: { scope: 'mcp:write', power: 'manage', org: 'org', credentials: inPerson },
  effect: 'write',
  rate: 'entry', // a mail with the sender's words to anybody
  errors: ['not_found', 'conflict', 'validation_failed'],
  positionals: ['email'],
  target: (input, output) => output?.id ?? input.email,
  examples: [
    {
      title: 'a viewer',
      input: { org: 'local', email: 'new@example.com', role: 'viewer' },
      output: { email: 'new@example.com', role: 'viewer', status: 'open' },
    },
    { title: 'no address', input: { org: 'local', email: 'new' }, error: 'validation_failed' },
    { title: 'an org that is not there', input: { org: 'no-such-org', email: 'new@example.com' }, error: 'not_found' },
  ],
  async handler({ email, role }, { db, keyring, mail, principal, publicUrl }) {
    refuseAboveOneself(principal, role)
    await settleMembers(db, principal) // two invitations at once for one address: the later one takes the place
    if (await findMemberByEmail(db, email)) fail('conflict', `${email} is a member of this org already.`)
    const token = newToken('inv')
    const made = await insertInvitation(db, {
      id: newId(),
      orgId: principal.org.id,
      email,
      role,
      fingerprint: keyring.fingerprint(token),
      invitedBy: principal.user?.id ?? null,
      days,
    })
    await mail({ to: email, ...invitationMail(token, role, principal, publicUrl) })
    return made
  },
})

/** The one place where the token is shown. */
function invitationMail(
  token: string,
  role: string,
  { org, user }: { org: { name: string }; user: { name: string } | null },
  publicUrl: string | null,
) {
  const way =
    publicUrl === null
      ? ['On that machine:', `molar invitations accept ${token}`]
      : ['Accept here:', `${publicUrl}/invitations/accept?token=${token}`]
  const lines = [
    `${user?.name ?? 'Somebody'} invites you to join ${org.name} on Molar, as ${role}.`,
    '',
    ...way,
    '',
    `The invitation is for this address alone and runs out in ${days} days. If you expected none, do nothing.`,
  ]
  return { subject: `Join ${org.name} on Molar`, text: lines.join('\n') }
}
