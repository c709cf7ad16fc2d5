import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { shownName } from '../fields.ts'
import { inPerson } from '../principal.ts'
import { account } from './account.ts'
import { findAccount, renameAccount } from './store.ts'

export const updateAccount = defineCommand({
  name: 'account.update',
  tool: 'molar_update_account',
  toolset: { default: false },
  title: 'Change my account',
  summary: 'Change the name under which others in your orgs see you.',
  input: z.object({ name: shownName }),
  output: account,
  rest: 'PATCH /v1/account',
  access: { scope: 'mcp:write', tenant: false, credentials: inPerson },
  effect: 'write',
  repeatable: true,
  errors: ['not_found', 'validation_failed'],
  examples: [
    { title: 'another name', input: { name: 'Ada Lovelace' }, output: { name: 'Ada Lovelace' } },
    { title: 'no name', input: { name: ' ' }, error: 'validation_failed' },
  ],
  async handler({ name }, { db }) {
    await renameAccount(db, name)
    return (await findAccount(db)) ?? fail('not_found', 'This account is no longer there.')
  },
})
