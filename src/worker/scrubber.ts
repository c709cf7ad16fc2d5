import type { Scrubber } from '../core/context.ts'
import { makeRedactor } from './evidence/redact.ts'

/** Scrubs what an external executor recorded by the rules of the worker's own recordings. Pictures and videos pass as they are. */
export function makeScrubber(secrets: Record<string, string>): Scrubber {
  const redactor = makeRedactor(secrets)
  return {
    json: (value) => redactor.json(value),
    async artifact(bytes, mediaType) {
      if (/^(image|video)\//.test(mediaType)) return bytes
      if (mediaType === 'application/zip') return (await import('./evidence/scrub.ts')).scrubTraceZip(bytes, redactor)
      if (mediaType === 'application/json')
        return Buffer.from(JSON.stringify(redactor.json(JSON.parse(bytes.toString('utf8')))))
      return redactor.bytes(bytes)
    },
  }
}
