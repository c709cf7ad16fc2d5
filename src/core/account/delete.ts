import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { inPerson } from '../principal.ts'
import { deleteAccount as endAccount, soleOwnerOf } from './store.ts'

export const deleteAccount = defineCommand({
  name: 'account.delete',
  tool: 'molar_delete_account',
  toolset: { default: false },
  title: 'Delete my account',
  summary: 'End your account for good, with its sessions, passkeys and personal tokens. Orgs need another owner first.',
  input: z.object({ confirm: z.string().max(320).describe('Your e-mail address, to make sure') }),
  output: z.object({ deleted: z.literal(true) }),
  rest: { route: 'DELETE /v1/account' },
  access: { scope: 'mcp:write', tenant: false, credentials: inPerson, fresh: true },
  effect: 'destroy',
  errors: ['conflict', 'validation_failed'],
  examples: [
    { title: 'without the right address', input: { confirm: 'somebody@else.example' }, error: 'validation_failed' },
  ],
  async handler({ confirm }, { db, principal }) {
    if (confirm.trim().toLowerCase() !== principal.user?.email.toLowerCase())
      fail('validation_failed', 'confirm: is not the e-mail address of this account.')
    if (await endAccount(db)) return { deleted: true as const }
    const orgs = await soleOwnerOf(db)
    return fail(
      'conflict',
      `You are the only owner of ${orgs.join(', ')}. Make somebody else an owner, or delete it first.`,
      {
        details: { orgs },
      },
    )
  },
})
