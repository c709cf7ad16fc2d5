import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { auditKeys } from './checkpoints.ts'
import { readChain } from './store.ts'

/** One line of an export: a head, events in order, then checkpoints. */
const exportLine = z.looseObject({ type: z.enum(['keys', 'event', 'checkpoint']) })

const batch = 1000

export const exportAudit = defineCommand({
  name: 'audit.export',
  tool: 'molar_export_audit',
  toolset: { default: false },
  title: 'Export the audit trail',
  summary:
    'Every audit event of the org with its hashes, then the signed checkpoints, a JSON document a line. `molar audit verify <file>` checks it offline.',
  input: z.object({ after: z.int().min(0).default(0).describe('Only events with a higher seq') }),
  output: z.object({ events: z.int(), last_seq: z.int(), checkpoints: z.int() }),
  rest: { route: 'GET /v1/audit-events/export', stream: true },
  access: { scope: 'mcp:read', power: 'manage' },
  effect: 'read',
  errors: ['forbidden'],
  events: exportLine,
  examples: [{ title: 'what came after the last event', input: { after: 1_000_000_000 }, output: { events: 0 } }],
  async handler({ after }, { principal, db, keyring, checkpoints, signal }, emit) {
    const org_id = principal.org.id
    await emit({ type: 'keys', org_id, at: new Date().toISOString(), keys: auditKeys(keyring) })
    let [events, last_seq] = [0, after]
    while (!signal.aborted) {
      const found = await readChain(db, last_seq, batch)
      for (const event of found) await emit({ type: 'event', ...event })
      events += found.length
      last_seq = found.at(-1)?.seq ?? last_seq
      if (found.length < batch) break
    }
    const known = await checkpoints.read(org_id)
    for (const checkpoint of known) await emit({ type: 'checkpoint', ...checkpoint })
    return { events, last_seq, checkpoints: known.length }
  },
})
