import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { exampleTraceId } from '../runs/index.ts'
import { noTrace, traceRef } from './get.ts'
import { findTrace, setPinned } from './store.ts'

export const unpinTrace = defineCommand({
  name: 'traces.unpin',
  tool: 'molar_unpin_trace',
  toolset: { default: false },
  title: 'Unpin a trace',
  summary: 'Let a trace’s artifacts go when the retention or the quota says so.',
  input: z.object({ id: traceRef }),
  output: z.object({ pinned: z.literal(false) }),
  rest: 'POST /v1/traces/{id}/unpin',
  access: { scope: 'mcp:write' },
  effect: 'write',
  repeatable: true,
  errors: ['not_found'],
  target: (input) => input.id,
  examples: [
    { title: 'the trace of a run that failed', input: { id: exampleTraceId }, output: { pinned: false } },
    { title: 'a trace that is not there', input: { id: '019301c0-cafe-7000-bea7-00000000dead' }, error: 'not_found' },
  ],
  async handler({ id }, { db }) {
    const trace = (await findTrace(db, id)) ?? noTrace(id)
    await setPinned(db, trace.id, false)
    return { pinned: false as const }
  },
})
