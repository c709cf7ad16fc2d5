import type { Bare, EvidenceEvent } from './event.ts'
import type { Redactor } from './redact.ts'

export const textLimit = 2048
export const urlLimit = 1024
export const bodyLimit = 1024
const looked = 65_536

/** Redacts first and cuts then, so that no cut leaves half a secret behind. `limit` counts UTF-16 units. */
export function clip(text: string, limit: number, redact: Redactor): string {
  const cut = text.length > looked
  // Where the text was cut unread, its last part may hold the first half of a secret.
  const clean = redact.text(cut ? text.slice(0, looked) : text).slice(0, cut ? -1024 : undefined)
  return clean.length > limit ? `${clean.slice(0, limit - 1).toWellFormed()}…` : clean
}

export interface BoundedEmitter {
  /** `step`: where that is not the current one. */
  emit(event: Bare, step?: string | null): void
  step: string | null
  /** Events that were not emitted because there were too many. */
  dropped(): number
  stop(): void
}

/** Stamps events with their step and lets `limit` of them through; then says once that the rest is missing. */
export function boundedEmitter(emit: (event: EvidenceEvent) => void, limit: number): BoundedEmitter {
  let count = 0
  let dropped = 0
  let stopped = false
  const emitter: BoundedEmitter = {
    step: null,
    emit(event, step = emitter.step) {
      if (stopped) return
      if (++count <= limit) emit({ step_id: step, ...event } as EvidenceEvent)
      else if (dropped++ === 0) {
        const message = `More than ${limit} events: the page's later ones are not recorded.`
        emit({ step_id: emitter.step, kind: 'log', level: 'warn', message })
      }
    },
    dropped: () => dropped,
    stop() {
      stopped = true
    },
  }
  return emitter
}
