import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { eventKinds, exampleTraceId, type RunEvent, renderEvent, runEvent } from '../runs/index.ts'
import { noTrace, traceRef } from './get.ts'
import { findTrace, sliceEvents } from './store.ts'

/** About 20,000 tokens. */
const maxBytes = 80_000

export const traceEvents = defineCommand({
  name: 'traces.events',
  tool: 'molar_trace_events',
  title: 'Read a trace’s events',
  summary:
    'What happened, in order: steps, requests, console, assertions. Narrow it by step (number or step_id) and kind. The texts come from the page.',
  input: z.object({
    id: traceRef,
    step: z.string().max(64).optional().describe('A step’s number or step_id'),
    kind: z.enum(eventKinds).optional(),
    limit: z.int().min(1).max(500).default(100),
    offset: z.int().min(0).max(1_000_000).default(0),
  }),
  output: z.object({
    events: z.array(runEvent),
    next_offset: z.int().nullable().describe('Where to go on; null at the end'),
    truncated: z.boolean(),
  }),
  rest: 'GET /v1/traces/{id}/events',
  access: { scope: 'mcp:trace:read' },
  effect: 'read',
  errors: ['not_found'],
  resource: {
    uri: 'molar://traces/{id}/events',
    name: 'Trace events',
    complete: { id: { list: 'traces.list', field: 'id' } },
  },
  render: ({ events, next_offset }) =>
    [...events.map(renderWhole), ...(next_offset === null ? [] : [`(more: offset ${next_offset})`])].join('\n'),
  examples: [
    {
      title: 'how the second step ended',
      input: { id: exampleTraceId, step: '2', kind: 'step.end' },
      output: { events: [{ kind: 'step.end', status: 'failed' }], next_offset: null },
    },
    { title: 'a trace that is not there', input: { id: '019301c0-cafe-7000-bea7-00000000dead' }, error: 'not_found' },
  ],
  async handler({ id, step, kind, limit, offset }, { db }) {
    const trace = (await findTrace(db, id)) ?? noTrace(id)
    const found = await sliceEvents(db, trace.run_id, { step, kind, limit: limit + 1, offset })
    const asked = step !== undefined || kind !== undefined
    const events = withinBytes(found.slice(0, limit).map((event) => (asked ? event : beginning(event))))
    const more = found.length > events.length
    return {
      events,
      next_offset: more ? offset + events.length : null,
      truncated: events.length < Math.min(found.length, limit),
    }
  },
})

/** An event's line, and below it the page's outline where it has one. */
const renderWhole = (event: RunEvent): string =>
  typeof event.aria === 'string' ? `${renderEvent(event)}\n${event.aria.replace(/^/gm, '    ')}` : renderEvent(event)

/** Outlines are long: of a list that was not asked for them, only their beginnings. */
const beginning = (event: RunEvent): RunEvent =>
  typeof event.aria === 'string' && event.aria.length > 200
    ? {
        ...event,
        aria: `${event.aria.slice(0, 200).toWellFormed()}…`,
        cut: 'kind: dom.snapshot or a step shows it whole',
      }
    : event

function withinBytes<Event>(events: readonly Event[]): Event[] {
  let bytes = 0
  const fit = events.findIndex((event) => {
    bytes += Buffer.byteLength(JSON.stringify(event))
    return bytes > maxBytes
  })
  return events.slice(0, fit === -1 ? events.length : Math.max(fit, 1))
}
