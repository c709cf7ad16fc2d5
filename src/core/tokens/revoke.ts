import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { id } from '../fields.ts'
import { inPerson } from '../principal.ts'
import { revokeToken as markRevoked } from './store.ts'
import { token } from './token.ts'
import { whose } from './whose.ts'

export const revokeToken = defineCommand({
  name: 'tokens.revoke',
  tool: 'molar_revoke_token',
  toolset: { default: false },
  title: 'Revoke a token',
  summary: 'End a personal or service token for good. Its next request fails.',
  input: z.object({ id }),
  output: token,
  rest: 'DELETE /api/v1/tokens/{id}',
  access: { scope: 'mcp:write', power: 'belong', credentials: inPerson },
  effect: 'destroy',
  repeatable: true,
  errors: ['not_found'],
  target: (input) => input.id,
  examples: [
    { title: 'one that is not there', input: { id: '019301c0-cafe-7000-bea7-00000000dead' }, error: 'not_found' },
  ],
  async handler({ id }, { db, principal }) {
    return (
      (await markRevoked(db, whose(principal), id)) ??
      fail('not_found', `There is no token ${id}. tokens.list shows those that exist.`)
    )
  },
})
