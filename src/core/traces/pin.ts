import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { exampleTraceId } from '../runs/index.ts'
import { noTrace, traceRef } from './get.ts'
import { findTrace, setPinned } from './store.ts'

export const pinTrace = defineCommand({
  name: 'traces.pin',
  tool: 'molar_pin_trace',
  toolset: { default: false },
  title: 'Pin a trace',
  summary:
    'Keep a trace’s artifacts whatever the retention and the quota say. Traces of failed runs are pinned by themselves, but a quota may still take them.',
  input: z.object({ id: traceRef }),
  output: z.object({ pinned: z.literal(true) }),
  rest: 'POST /v1/traces/{id}/pin',
  access: { scope: 'mcp:write' },
  effect: 'write',
  repeatable: true,
  errors: ['not_found'],
  target: (input) => input.id,
  examples: [
    { title: 'the trace of a run that failed', input: { id: exampleTraceId }, output: { pinned: true } },
    { title: 'a trace that is not there', input: { id: '019301c0-cafe-7000-bea7-00000000dead' }, error: 'not_found' },
  ],
  async handler({ id }, { db }) {
    const trace = (await findTrace(db, id)) ?? noTrace(id)
    await setPinned(db, trace.id, true)
    return { pinned: true as const }
  },
})
