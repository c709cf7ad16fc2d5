import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { exampleTraceId, followRun, renderEvent, runEvent } from '../runs/index.ts'
import { noTrace, traceRef } from './get.ts'
import { findTrace } from './store.ts'
import { traceStatuses } from './trace.ts'

export const streamTrace = defineCommand({
  name: 'traces.stream',
  tool: 'molar_stream_trace',
  toolset: { default: false },
  title: 'Stream a trace',
  summary: 'A trace’s events as they happen, until its run ends.',
  input: z.object({
    id: traceRef,
    after: z.int().min(0).default(0).describe('Only events with a higher seq'),
    live: z.stringbool().or(z.boolean()).default(true).describe('Go on until the run ends; else stop at what there is'),
  }),
  output: z.object({ id: z.string(), status: z.enum(traceStatuses), last_seq: z.int() }),
  rest: { route: 'GET /v1/traces/{id}/stream', stream: true },
  access: { scope: 'mcp:trace:read' },
  effect: 'read',
  errors: ['not_found'],
  events: runEvent,
  line: renderEvent,
  examples: [
    {
      title: 'what there is',
      input: { id: exampleTraceId, live: false },
      output: { id: exampleTraceId, status: 'failed', last_seq: 6 },
    },
    {
      title: 'nothing comes after the end',
      input: { id: exampleTraceId, after: 568 },
      output: { status: 'failed', last_seq: 568 },
    },
    { title: 'a trace that is not there', input: { id: '019301c0-cafe-7000-bea7-00000000dead' }, error: 'not_found' },
  ],
  async handler({ id, after, live }, context, emit) {
    const trace = (await findTrace(context.db, id)) ?? noTrace(id)
    const signal = live ? context.signal : AbortSignal.any([context.signal, AbortSignal.timeout(1000)])
    let last = after
    await followRun(context.db, context.live, trace.run_id, after, signal, (event) => {
      last = event.seq
      return emit(event)
    })
    const { status } = (await findTrace(context.db, id)) ?? noTrace(id)
    return { id: trace.id, status, last_seq: last }
  },
})
