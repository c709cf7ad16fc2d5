import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { id } from '../fields.ts'
import { inPerson } from '../principal.ts'
import { deletePasskey } from './store.ts'

export const removePasskey = defineCommand({
  name: 'account.removePasskey',
  tool: 'molar_remove_passkey',
  toolset: { default: false },
  title: 'Remove a passkey',
  summary: 'End a passkey of yours: nobody can sign in with it any more.',
  input: z.object({ id }),
  output: z.object({ removed: z.literal(true) }),
  rest: 'DELETE /v1/account/passkeys/{id}',
  access: { scope: 'mcp:write', tenant: false, credentials: inPerson, fresh: true },
  effect: 'destroy',
  errors: ['not_found'],
  target: (input) => input.id,
  examples: [
    { title: 'one that is not there', input: { id: '019301c0-cafe-7000-bea7-00000000dead' }, error: 'not_found' },
  ],
  async handler({ id }, { db }) {
    if (!(await deletePasskey(db, id))) fail('not_found', `You have no passkey ${id}. account.get lists yours.`)
    return { removed: true as const }
  },
})
