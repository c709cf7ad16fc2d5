import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { CommandError, fail } from '../core/errors.ts'
import { assetNames, compiler } from '../core/scenarios/index.ts'

/** A file as a `blob()` field takes it. */
export interface BlobText {
  name: string
  media_type: string
  base64: string
}

const largest = 16 * 1024 * 1024
const mediaTypes: Record<string, string> = {
  '.csv': 'text/csv',
  '.gif': 'image/gif',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.json': 'application/json',
  '.md': 'text/markdown',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
  '.webp': 'image/webp',
  '.xml': 'application/xml',
  '.zip': 'application/zip',
}

/** A file's bytes under its own name. Throws `bad_request` when it cannot be read. */
export async function readBlob(path: string): Promise<BlobText> {
  const name = basename(path)
  try {
    const { size } = await stat(path)
    if (size > largest) fail('payload_too_large', `${path} has ${Math.round(size / 1e6)} MB; at most 16 MB are read.`)
    const base64 = await readFile(path, 'base64')
    return { name, media_type: mediaTypes[extname(name).toLowerCase()] ?? 'application/octet-stream', base64 }
  } catch (cause) {
    if (cause instanceof CommandError) throw cause
    return fail('bad_request', `${path} cannot be read (${(cause as NodeJS.ErrnoException).code}).`, { cause })
  }
}

/** The files that a scenario's steps upload and that lie beside it. One that is missing may have been uploaded before. */
export async function assetsBeside(path: string, content: string): Promise<BlobText[]> {
  const { compileScenario } = await compiler()
  const result = compileScenario(content)
  if (!result.ok) return []
  const found: BlobText[] = []
  for (const name of assetNames(result.plan.steps)) {
    // A plain name and nothing else: a scenario does not get to read what lies elsewhere.
    if (name !== basename(name)) continue
    const beside = join(dirname(path), name)
    const isFile = await stat(beside).then(
      (there) => there.isFile(),
      () => false,
    )
    if (isFile) found.push(await readBlob(beside))
  }
  return found
}
