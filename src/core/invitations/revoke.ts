import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { id } from '../fields.ts'
import { orgRef } from '../org-ref.ts'
import { inPerson } from '../principal.ts'
import { invitation } from './invitation.ts'
import { revokeInvitation as markRevoked } from './store.ts'

export const revokeInvitation = defineCommand({
  name: 'invitations.revoke',
  tool: 'molar_revoke_invitation',
  toolset: { name: 'members', default: false },
  title: 'Revoke an invitation',
  summary: 'Take an invitation back: its link opens nothing from now on. One that was accepted stays as it is.',
  input: z.object({ org: orgRef, id }),
  output: invitation,
  rest: { route: 'DELETE /api/v1/orgs/{org}/invitations/{id}', status: 204 },
  access: { scope: 'mcp:write', power: 'manage', org: 'org', credentials: inPerson },
  effect: 'destroy',
  repeatable: true,
  errors: ['not_found'],
  target: (input) => input.id,
  examples: [
    {
      title: 'one that is not there',
      input: { org: 'local', id: '019301c0-cafe-7000-bea7-00000000dead' },
      error: 'not_found',
    },
  ],
  async handler({ id }, { db }) {
    return (
      (await markRevoked(db, id)) ?? fail('not_found', `There is no invitation ${id}. invitations.list shows them.`)
    )
  },
})
