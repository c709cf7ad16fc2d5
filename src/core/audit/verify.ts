import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { chainChecker } from './chain.ts'
import { auditKeys } from './checkpoints.ts'
import { findAuditHead, readChain } from './store.ts'

const chainReport = z.object({
  valid: z.boolean(),
  events: z.int(),
  last_seq: z.int(),
  checkpoints: z.int().describe('Signed states of the chain, kept outside the database'),
  vouched_to: z.int().describe('Up to this event a checkpoint proves that nothing was rewritten or cut off'),
  problems: z
    .array(
      z.object({
        what: z.enum(['changed', 'missing', 'rewritten', 'truncated', 'forged_checkpoint']),
        seq: z.int(),
        message: z.string(),
      }),
    )
    .describe('The first hundred'),
})

const batch = 2000

export const verifyAudit = defineCommand({
  name: 'audit.verify',
  tool: 'molar_verify_audit',
  toolset: { default: false },
  title: 'Verify the audit trail',
  summary:
    'Recompute the org’s chain of audit events and hold it against its signed checkpoints: says whether and where something was changed, removed, cut off or rewritten.',
  input: z.object({}),
  output: chainReport,
  rest: 'GET /v1/audit-events/verify',
  access: { scope: 'mcp:read', power: 'manage' },
  effect: 'read',
  errors: ['forbidden'],
  examples: [{ title: 'a chain that nobody touched', input: {}, output: { valid: true, problems: [] } }],
  async handler(_input, { principal, db, keyring, checkpoints }) {
    const known = await checkpoints.read(principal.org.id)
    const chain = chainChecker(principal.org.id, known, auditKeys(keyring))
    for (let last = 0; ; ) {
      const events = await readChain(db, last, batch)
      for (const event of events) chain.take(event)
      last = events.at(-1)?.seq ?? last
      if (events.length === batch) continue
      // Events may have come since the last was read: the head, asked after them, says so.
      const head = await findAuditHead(db)
      if (events.length === 0 || (head?.seq ?? 0) <= last) return chain.end(head)
    }
  },
})
