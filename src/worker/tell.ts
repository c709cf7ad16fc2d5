import type { RuntimeEvent } from '../core/scenarios/index.ts'
import type { AttemptContext } from './attempt.ts'
import type { Evidence } from './evidence/index.ts'

/** What the session says, as events of the trace. */
export function tell(event: RuntimeEvent, context: AttemptContext, evidence: Evidence): unknown {
  const { recorder } = context
  switch (event.kind) {
    case 'assertion':
      recorder.emit({
        kind: 'assertion',
        step_id: event.step_id,
        ok: event.passed,
        message: event.text,
        expected: event.expected,
        actual: event.actual,
      })
      return
    case 'screenshot': {
      const label = event.label?.replace(/[^\w.-]+/g, '-') ?? event.step_id
      const picture = { name: `${label}.png`, mediaType: 'image/png', stepId: event.step_id }
      const facts = context.keep(event.png, { kind: 'screenshot', ...picture })
      recorder.emit({
        kind: 'screenshot',
        step_id: event.step_id,
        name: picture.name,
        media_type: 'image/png',
        ...facts,
      })
      return
    }
    case 'snapshot':
      recorder.emit({
        kind: 'dom.snapshot',
        step_id: event.step_id,
        label: event.label,
        aria: evidence.cleanOutline(event.aria),
      })
      return
    case 'secret_filled':
      return evidence.maskFilled(event.locator)
    case 'dialog':
      recorder.emit({
        kind: 'log',
        level: 'info',
        about: 'dialog',
        message: `${event.type} dialog ${event.accepted ? 'accepted' : 'dismissed'}${event.awaited ? '' : ' (no step expected it)'}: ${event.message}`,
      })
      return
    case 'download':
      recorder.emit({
        kind: 'log',
        level: 'info',
        about: 'download',
        message: `Downloaded ${event.file_name} as ${event.as}`,
      })
      return
    case 'request':
      recorder.emit({
        kind: 'log',
        level: 'info',
        about: 'request',
        message: `${event.method} ${event.url} answered ${event.status} in ${event.duration_ms} ms`,
      })
      return
    case 'log':
      recorder.emit({ kind: 'log', level: 'info', message: event.message })
      return
    case 'debug':
      recorder.emit({ kind: 'log', level: 'info', about: 'debug', step_id: event.step_id, message: 'Debug marker' })
      return
    default:
      return // tabs and remembered names: the page events tell the first, the second are no news
  }
}
