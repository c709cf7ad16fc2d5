/** What the rest of Molar may use of evidence: recording a context, and keeping secrets out of what is kept. */
export type { EvidenceEvent } from './event.ts'
export type { Frame } from './film.ts'
export { type Evidence, type EvidenceOptions, type Recorded, recordEvidence } from './record.ts'
export { makeRedactor, type Redactor } from './redact.ts'
export { type ScrubbedTrace, scrubTrace } from './scrub.ts'
export { scrubBody } from './scrub-body.ts'
export { makeVideo } from './video.ts'
