import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { id, time } from '../fields.ts'
import { inPerson } from '../principal.ts'
import { renewCredential } from './store.ts'
import { whose } from './whose.ts'

export const renewToken = defineCommand({
  name: 'tokens.renew',
  tool: 'molar_renew_token',
  toolset: { default: false },
  title: 'Renew a token',
  summary: 'Let a token or API key that has not run out yet last as long again as it was made for.',
  input: z.object({ id }),
  output: z.object({ id, name: z.string(), expires_at: time }),
  rest: 'POST /api/v1/tokens/{id}/renew',
  access: { scope: 'mcp:write', power: 'belong', credentials: [...inPerson, 'signed'] },
  effect: 'write',
  errors: ['not_found'],
  target: (input) => input.id,
  examples: [
    { title: 'one that is not there', input: { id: '019301c0-cafe-7000-bea7-00000000dead' }, error: 'not_found' },
  ],
  async handler({ id }, { db, principal }) {
    return (
      (await renewCredential(db, whose(principal), id)) ??
      fail('not_found', `There is no token ${id} that will run out: it did already, was revoked, or lasts for ever.`)
    )
  },
})
