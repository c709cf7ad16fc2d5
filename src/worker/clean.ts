import type { Failure } from '../core/runs/index.ts'
import type { Redactor } from './evidence/index.ts'
import type { NewEvent, Recorder } from './recorder.ts'

/** Words of the trace's own are left alone: a secret that happens to be "passed" must not break it. */
export function cleanRecorder(recorder: Recorder, redactor: Redactor): Recorder {
  const own = ['kind', 'ts', 'step_id', 'status', 'verb', 'section', 'level', 'about', 'media_type', 'sha256']
  const clean = ([name, value]: [string, unknown]) => [
    name,
    own.includes(name) ? value : redactor.json({ [name]: value })[name],
  ]
  return {
    ...recorder,
    emit: (event) => recorder.emit(Object.fromEntries(Object.entries(event).map(clean)) as NewEvent),
  }
}

/** A failure without secrets in any of their forms. */
export const cleanFailure = (failure: Failure, redactor: Redactor): Failure => ({
  ...redactor.json(failure),
  kind: failure.kind,
  step: failure.step && { ...failure.step, text: redactor.text(failure.step.text) },
})
