/** What the rest of Molar may use of evidence: recording a context, and keeping secrets out of what is kept. */
export type { EvidenceEvent } from './event.ts'
export { type Evidence, type EvidenceOptions, recordEvidence } from './record.ts'
export { makeRedactor, type Redactor } from './redact.ts'
export { scrubTraceZip } from './scrub.ts'
