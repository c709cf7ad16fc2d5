import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { inPerson } from '../principal.ts'
import { account } from './account.ts'
import { findAccount } from './store.ts'

export const getAccount = defineCommand({
  name: 'account.get',
  tool: 'molar_get_account',
  toolset: { default: false },
  title: 'Get my account',
  summary: 'The person who asks: name, e-mail address, how they sign in.',
  input: z.object({}),
  output: account,
  rest: 'GET /v1/account',
  access: { scope: 'mcp:read', tenant: false, credentials: inPerson },
  effect: 'read',
  errors: ['not_found'],
  examples: [{ title: 'the local owner', input: {}, output: { two_factor: false, passkeys: [] } }],
  handler: async (_input, { db }) => (await findAccount(db)) ?? fail('not_found', 'This account is no longer there.'),
})
