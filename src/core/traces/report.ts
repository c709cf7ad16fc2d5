import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { untrusted } from '../fields.ts'
import { exampleTraceId, renderReport, runStore } from '../runs/index.ts'
import { noTrace, traceRef } from './get.ts'
import { findTrace } from './store.ts'

export const traceReport = defineCommand({
  name: 'traces.report',
  tool: 'molar_trace_report',
  title: 'Report of a trace',
  summary: 'The forensic report in Markdown: verdict, every step, the diagnosis with the events it rests on.',
  input: z.object({ id: traceRef }),
  output: z.object({ id: z.string(), markdown: untrusted() }),
  rest: { route: 'GET /v1/traces/{id}/report.md', attachment: 'report.md' },
  access: { scope: 'mcp:trace:read' },
  effect: 'read',
  errors: ['not_found'],
  resource: {
    uri: 'molar://traces/{id}/report',
    name: 'Trace report',
    mimeType: 'text/markdown',
    complete: { id: { list: 'traces.list', field: 'id' } },
  },
  render: ({ markdown }) => markdown,
  examples: [
    { title: 'the report of a run that failed', input: { id: exampleTraceId }, output: { id: exampleTraceId } },
    { title: 'a trace that is not there', input: { id: '019301c0-cafe-7000-bea7-00000000dead' }, error: 'not_found' },
  ],
  async handler({ id }, { db }) {
    const trace = (await findTrace(db, id)) ?? noTrace(id)
    const run = (await runStore.findRun(db, trace.run_id)) ?? noTrace(id)
    return { id: trace.id, markdown: renderReport(run) }
  },
})
