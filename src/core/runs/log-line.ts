import type { RunEvent } from './run.ts'

/** An event as one line of a log. */
export function renderEvent(event: RunEvent): string {
  const { seq, ts, kind } = event
  return `${new Date(ts).toISOString().slice(11, 23)} ${String(seq).padStart(4)} ${kind.padEnd(16)} ${describe(event)}`.trimEnd()
}

function describe(event: RunEvent): string {
  const text = (key: string) => (event[key] === undefined || event[key] === null ? '' : String(event[key]))
  if (event.kind === 'step.start') return `${text('number')}. ${text('text')}`
  if (event.kind === 'step.end')
    return `${text('number')}. ${text('status')} in ${text('duration_ms')} ms ${text('message')}`
  if (event.kind === 'network.request') return `${text('method')} ${text('url')}`
  if (event.kind === 'network.response') return `${text('status') || text('failure')} ${text('method')} ${text('url')}`
  if (event.kind === 'run.end') return `${text('status')} ${text('message')}`
  if (event.kind === 'dom.snapshot' && event.unchanged_since !== undefined)
    return `unchanged since event ${text('unchanged_since')}`
  return text('text') || text('message') || text('url') || text('name')
}
