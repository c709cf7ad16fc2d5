import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { secretFacts, secretName } from './secret.ts'
import { deleteSecret as removeSecret } from './store.ts'

export const deleteSecret = defineCommand({
  name: 'secrets.delete',
  tool: 'molar_delete_secret',
  toolset: { default: false },
  title: 'Delete a secret',
  summary: 'Delete a stored secret for good. Runs that need it then say so.',
  input: z.object({ name: secretName }),
  output: secretFacts,
  rest: 'DELETE /v1/secrets/{name}',
  access: { scope: 'mcp:write', power: 'manage' },
  effect: 'destroy',
  errors: ['not_found', 'forbidden'],
  target: (input) => input.name,
  examples: [{ title: 'one that is not there', input: { name: 'NOT_THERE' }, error: 'not_found' }],
  async handler({ name }, { db }) {
    return (
      (await removeSecret(db, name)) ??
      fail('not_found', `There is no secret ${name}. molar_list_secrets shows those that exist.`)
    )
  },
})
