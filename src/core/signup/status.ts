import { z } from 'zod'
import { entitlements, readEntitlements } from '../billing/index.ts'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { refuseUnlessOpen, scopesAfter } from './signup.ts'
import { findSignup } from './store.ts'

export const signupStatus = defineCommand({
  name: 'signup.status',
  tool: 'molar_agent_status',
  toolset: { default: false },
  title: 'How an agent’s signup stands',
  summary: 'Whether the person has confirmed the signup of this key, what it may not do until then, and its limits.',
  input: z.object({}),
  output: z.object({
    claim_status: z.enum(['pending', 'verified', 'expired']),
    restrictions: z.array(z.string()),
    entitlements,
  }),
  rest: 'GET /api/v1/agent-signup/status',
  access: { scope: 'mcp:read', power: 'belong', credentials: ['svc'] },
  effect: 'read',
  errors: ['forbidden', 'not_found', 'unavailable'],
  examples: [{ title: 'without the key of a signup', input: {}, error: 'forbidden' }],
  async handler(_input, context) {
    refuseUnlessOpen(context.settings)
    const { claim_status } =
      (await findSignup(context.db)) ?? fail('not_found', 'This key belongs to no signup of an agent.')
    const restrictions =
      claim_status === 'verified' ? [] : [`no ${scopesAfter.join(', ')}`, 'no cloud clones', 'no debugger']
    return { claim_status, restrictions, entitlements: await readEntitlements(context.db) }
  },
})
