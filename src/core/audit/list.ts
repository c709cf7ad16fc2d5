import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { id, instant, page, pageInput, time } from '../fields.ts'
import { listAuditEvents } from './store.ts'

const auditEvent = z.object({
  id,
  seq: z.int(),
  at: time,
  actor: z.object({ kind: z.string(), id, name: z.string() }),
  command: z.string(),
  target: z.string().nullable(),
  door: z.string(),
  remote_address: z.string().nullable(),
  request_id: z.string(),
  result: z.string().describe('ok, or the error’s code'),
  hash: z.string().describe('SHA-256 over the event and the hash before it'),
})

export const listAudit = defineCommand({
  name: 'audit.list',
  tool: 'molar_list_audit_events',
  toolset: { default: false },
  title: 'List audit events',
  summary:
    'Every change that was made or refused: who, by which credential, what, on what, with which result. Newest first.',
  input: z.object({
    ...pageInput,
    command: z.string().max(100).optional(),
    from: instant.optional(),
    to: instant.optional(),
  }),
  output: page(auditEvent),
  rest: 'GET /v1/audit-events',
  access: { scope: 'mcp:read', power: 'manage' },
  effect: 'read',
  errors: ['forbidden'],
  examples: [
    {
      title: 'uploads only',
      input: { command: 'scenarios.upload', limit: 1, fields: ['command', 'result'] },
      output: { items: [{ command: 'scenarios.upload' }] },
    },
  ],
  async handler({ limit, cursor, command, from, to }, { db, pages }) {
    const rows = await listAuditEvents(db, { command, from, to }, pages.after(cursor), limit + 1)
    return pages.of(rows, limit, ({ seq }) => ({ seq }))
  },
})
