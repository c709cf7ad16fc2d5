import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { inPerson } from '../principal.ts'
import { acceptance, readAcceptance } from './acceptance.ts'
import { saveAcceptance } from './store.ts'

export const acceptTerms = defineCommand({
  name: 'terms.accept',
  tool: 'molar_accept_terms',
  toolset: { default: false },
  title: 'Accept the terms',
  summary: 'Record that the signed-in person accepts the terms of service that count now.',
  input: z.object({}),
  output: acceptance,
  rest: 'POST /auth/accept-terms',
  access: { scope: 'mcp:write', tenant: false, credentials: inPerson },
  effect: 'write',
  repeatable: true,
  errors: [],
  examples: [{ title: 'the owner of this machine', input: {}, output: { accepted: true } }],
  async handler(_input, context) {
    if (context.settings.terms !== null) await saveAcceptance(context.db, context.settings.terms)
    return readAcceptance(context)
  },
})
