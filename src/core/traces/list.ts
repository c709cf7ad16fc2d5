import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { id, instant, page, pageInput } from '../fields.ts'
import { listTraces as selectTraces } from './store.ts'
import { tiers, trace, traceSources, traceStatuses } from './trace.ts'

export const listTraces = defineCommand({
  name: 'traces.list',
  tool: 'list_traces',
  title: 'List traces',
  summary: 'Traces, newest first. q searches titles, failure messages and signatures.',
  input: z.object({
    ...pageInput,
    limit: pageInput.limit.default(50),
    scenario_id: id.optional(),
    status: z.enum([...traceStatuses, 'errored']).optional(),
    source: z.enum(traceSources).optional(),
    signature: z.string().max(200).optional(),
    tier: z.enum(tiers).optional(),
    q: z.string().max(200).optional(),
    from: instant.optional(),
    to: instant.optional(),
  }),
  output: page(trace),
  rest: 'GET /v1/traces',
  access: { scope: 'mcp:trace:read' },
  effect: 'read',
  errors: [],
  examples: [
    { title: 'failed ones', input: { status: 'failed', limit: 1 }, output: { truncated: false } },
    { title: 'a limit that is too large', input: { limit: 201 }, error: 'bad_request' },
  ],
  async handler({ limit, cursor, fields: _fields, status, ...filter }, { db, pages }) {
    const stored = status === 'error' ? 'errored' : status
    const rows = await selectTraces(db, { ...filter, status: stored }, pages.after(cursor), limit + 1)
    return pages.of(rows, limit, ({ created_at, id }) => ({ created_at, id }))
  },
})
