import { createHash } from 'node:crypto'
import { type Diagnosis, normalise } from './diagnosis.ts'
import type { Failure } from './run.ts'

/** What two runs that fail for the same reason share: the failing step, the dominant network error, the normalised message. */
export function failureSignature(failure: Failure, diagnosis: Diagnosis): string {
  const request = diagnosis.evidence.find((one) => one.kind === 'request_failed')
  const parts = [
    failure.kind,
    normalise(failure.step?.text ?? ''),
    normalise(request?.text ?? ''),
    normalise(failure.message),
  ]
  return `${failure.kind}:${createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16)}`
}
