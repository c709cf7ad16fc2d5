import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { auditKeys } from './checkpoints.ts'

export const listAuditKeys = defineCommand({
  name: 'audit.keys',
  tool: 'molar_audit_keys',
  toolset: { default: false },
  title: 'Public keys of the audit trail',
  summary:
    'The public keys with which checkpoints of audit chains are checked. Keep a copy where this server cannot change it.',
  input: z.object({}),
  output: z.object({
    keys: z
      .array(z.object({ id: z.int(), public_key: z.string().describe('Ed25519, as PEM') }))
      .describe('Newest first'),
  }),
  rest: 'GET /.well-known/molar-audit-keys.json',
  access: { scope: 'mcp:read', power: 'belong', public: true },
  effect: 'read',
  errors: [],
  examples: [{ title: 'the keys', input: {}, output: { keys: [{ id: 1 }] } }],
  handler: async (_input, { keyring }) => ({ keys: auditKeys(keyring) }),
})
