import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { newId } from '../ids.ts'
import { scopeList } from '../keys/index.ts'
import { hashCode, mostTries, refuseUnlessOpen, scopesAfter } from './signup.ts'
import { claimSignup, countTry, findSignup } from './store.ts'

export const verifySignup = defineCommand({
  name: 'signup.verify',
  tool: 'molar_agent_verify',
  toolset: { default: false },
  title: 'Confirm an agent’s signup',
  summary: 'Give the 6-digit code that the person was mailed, with the key of the signup. Then the org is theirs.',
  input: z.object({ verification_code: z.string().regex(/^\d{6}$/, 'must be the 6 digits from the mail') }),
  output: z.object({
    status: z.literal('claimed'),
    scopes_upgraded: scopeList,
    mcp_install_url: z.string().nullable(),
  }),
  rest: 'POST /api/v1/agent-signup/verify',
  access: { scope: 'mcp:read', power: 'belong', credentials: ['svc'] },
  effect: 'write',
  errors: ['forbidden', 'not_found', 'conflict', 'unavailable', 'validation_failed'],
  positionals: ['verification_code'],
  examples: [{ title: 'without the key of a signup', input: { verification_code: '000000' }, error: 'forbidden' }],
  /** Counted before it is judged, and whatever becomes of it. */
  async prepare(_input, { db, settings }) {
    refuseUnlessOpen(settings)
    await countTry(db)
  },
  async handler({ verification_code }, context) {
    const { db, principal, settings, publicUrl } = context
    const signup = (await findSignup(db)) ?? fail('not_found', 'This key belongs to no signup of an agent.')
    if (signup.claim_status === 'verified') fail('conflict', 'This signup is confirmed already.')
    const outcome = await claimSignup(db, {
      code: hashCode(context, principal.org.id, verification_code),
      userId: newId(),
      plan: settings.plan,
      scopes: scopesAfter,
    })
    if (outcome === 'unconfirmed')
      fail(
        'conflict',
        `There is an account with ${signup.email} that was never confirmed. Let the person confirm it first.`,
      )
    if (outcome === 'wrong') {
      const left = Math.max(0, mostTries - signup.tries)
      const over = left === 0 || signup.code_expires_at <= new Date()
      fail(
        'forbidden',
        over ? 'The code does not count any longer. Sign up again.' : `That is not the code. ${left} tries are left.`,
      )
    }
    return {
      status: 'claimed' as const,
      scopes_upgraded: [...scopesAfter],
      mcp_install_url: publicUrl && `${publicUrl}/install`,
    }
  },
})
