import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Scrubber } from '../core/context.ts'
import { makeRedactor, type Redactor } from './evidence/redact.ts'

/** Scrubs what an external executor recorded by the rules of the worker's own recordings. Pictures and videos pass as they are. */
export function makeScrubber(secrets: Record<string, string>): Scrubber {
  const redactor = makeRedactor(secrets)
  return {
    json: (value) => redactor.json(value),
    async artifact(bytes, mediaType) {
      if (/^(image|video)\//.test(mediaType)) return bytes
      if (mediaType === 'application/zip') return scrubZip(bytes, redactor)
      if (mediaType === 'application/json')
        return Buffer.from(JSON.stringify(redactor.json(JSON.parse(bytes.toString('utf8')))))
      return redactor.bytes(bytes)
    },
  }
}

async function scrubZip(bytes: Buffer, redactor: Redactor): Promise<Buffer> {
  const { scrubTraceZip } = await import('./evidence/scrub.ts')
  const folder = await mkdtemp(join(tmpdir(), 'molar-ingest-'))
  try {
    const path = join(folder, 'trace.zip')
    await writeFile(path, bytes, { mode: 0o600 })
    return await scrubTraceZip(path, redactor)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
