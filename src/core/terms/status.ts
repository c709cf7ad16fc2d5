import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { inPerson } from '../principal.ts'
import { acceptance, readAcceptance } from './acceptance.ts'

export const termsStatus = defineCommand({
  name: 'terms.status',
  tool: 'molar_terms_status',
  toolset: { default: false },
  title: 'Whether the terms are accepted',
  summary: 'Whether the signed-in person has accepted the terms of service that count now.',
  input: z.object({}),
  output: acceptance,
  rest: 'GET /auth/terms-status',
  access: { scope: 'mcp:read', tenant: false, credentials: inPerson },
  effect: 'read',
  errors: [],
  examples: [{ title: 'the owner of this machine', input: {}, output: { accepted: true } }],
  handler: (_input, context) => readAcceptance(context),
})
