import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { id } from '../fields.ts'
import { key } from './key.ts'
import { revokeKey as markRevoked } from './store.ts'

export const revokeKey = defineCommand({
  name: 'keys.revoke',
  tool: 'molar_revoke_key',
  toolset: { default: false },
  title: 'Revoke an API key',
  summary: 'End an API key for good. Its next request fails.',
  input: z.object({ id }),
  output: key,
  rest: 'DELETE /v1/api-keys/{id}',
  access: { scope: 'mcp:write', power: 'manage' },
  effect: 'destroy',
  repeatable: true,
  errors: ['not_found', 'forbidden'],
  target: (input) => input.id,
  examples: [
    { title: 'a key that is not there', input: { id: '019301c0-cafe-7000-bea7-00000000dead' }, error: 'not_found' },
  ],
  async handler({ id }, { db }) {
    return (
      (await markRevoked(db, id)) ??
      fail('not_found', `There is no API key ${id}. molar_list_keys shows those that exist.`)
    )
  },
})
