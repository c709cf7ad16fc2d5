import { randomInt } from 'node:crypto'
import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { id, secret, shownName } from '../fields.ts'
import { newId, randomBase62 } from '../ids.ts'
import { newToken, tokenPrefix } from '../keys/index.ts'
import { codeMinutes, hashCode, refuseUnlessOpen, scopesBefore } from './signup.ts'
import { startSignup as insertSignup } from './store.ts'

export const startSignup = defineCommand({
  name: 'signup.start',
  tool: 'molar_agent_signup',
  toolset: { default: false },
  title: 'Sign up as an agent',
  summary:
    'Open an org for a person and get a key at once. The person is mailed a 6-digit code; until it is given to molar_agent_verify the key may only read and run.',
  input: z.object({
    human_email: z.email().max(254).describe('The person’s, who will own the org'),
    display_name: shownName.describe('The agent’s name, as the person will see it'),
    note_to_human: z.string().trim().max(500).optional().describe('Stands in the mail'),
    harness: z.string().trim().max(100).optional().describe('What the agent runs in'),
  }),
  output: z.object({
    api_key: secret().describe('The plaintext, shown once'),
    org_id: id,
    agent_id: id,
    status: z.literal('unclaimed'),
  }),
  rest: { route: 'POST /api/v1/agent-signup', status: 201 },
  access: { scope: 'mcp:read', power: 'belong', public: true },
  effect: 'write',
  rate: 'entry',
  errors: ['validation_failed', 'rate_limited', 'unavailable'],
  target: (_input, output) => output?.org_id,
  examples: [
    {
      title: 'where agents cannot sign up',
      input: { human_email: 'ada@example.com', display_name: 'Ada’s agent' },
      error: 'unavailable',
    },
  ],
  async handler({ human_email, display_name, note_to_human, harness }, context) {
    refuseUnlessOpen(context.settings)
    const token = newToken('svc')
    const [orgId, keyId] = [newId(), newId()]
    const code = String(randomInt(1_000_000)).padStart(6, '0')
    const started = await insertSignup(context.db, {
      orgId,
      slug: `agent-${randomBase62(12).toLowerCase()}`,
      name: display_name,
      keyId,
      prefix: tokenPrefix(token),
      fingerprint: context.keyring.fingerprint(token),
      scopes: scopesBefore,
      email: human_email,
      displayName: display_name,
      note: note_to_human ?? null,
      harness: harness ?? null,
      code: hashCode(context, orgId, code),
      minutes: codeMinutes,
    })
    if (!started)
      fail('rate_limited', 'Too many agents signed up for this address today. Use the key of one of them.', {
        details: { resource: 'signups_per_day', limit: 3, used: 3, retry_after_seconds: 86_400 },
      })
    const lines = [
      `An agent that calls itself “${display_name}” opened an org for you on Molar.`,
      ...(note_to_human ? ['', 'It says:', note_to_human] : []),
      '',
      `If you want it, give it this code within ${codeMinutes} minutes:`,
      code,
      '',
      'The org is yours then. If you know of no such agent, do nothing: the org goes by itself.',
    ]
    await context.mail({ to: human_email, subject: `${code} is the code for your agent`, text: lines.join('\n') })
    return { api_key: token, org_id: orgId, agent_id: keyId, status: 'unclaimed' as const }
  },
})
