import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { ArtifactKind } from '../blobs/index.ts'
import { fail } from '../errors.ts'

/** What an executor may bring. The summary, the report and the events as NDJSON are written here, from what it reported. */
const reportedKinds = ['screenshot', 'video', 'har', 'trace', 'rrweb', 'console'] as const satisfies ArtifactKind[]

export const declaredArtifact = z.object({
  kind: z.enum(reportedKinds),
  name: z
    .string()
    .regex(/^[\w][\w .-]{0,127}$/, 'must be a plain file name')
    .describe('The name of one of `files`'),
  size: z.int().min(1).describe('Bytes'),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits'),
  step_id: z.string().max(100).optional(),
})
export type DeclaredArtifact = z.output<typeof declaredArtifact>

export interface ReportedFile {
  name: string
  media_type: string
  bytes: Buffer
}

/** A file and what it turned out to be. */
export interface CheckedArtifact extends DeclaredArtifact {
  media_type: string
  bytes: Buffer
}

/** Pairs files with their declarations and looks at the bytes. Throws validation_failed that names every one that lies. */
export function checkArtifacts(
  declared: readonly DeclaredArtifact[],
  files: readonly ReportedFile[],
): CheckedArtifact[] {
  const lies: string[] = []
  for (const { name } of files)
    if (!declared.some((one) => one.name === name))
      lies.push(`files: ${name} is not declared in artifacts (kind, name, size, sha256)`)
  const checked = declared.flatMap((one, place) => {
    const where = `artifacts.${place} (${one.name})`
    const file = files.find(({ name }) => name === one.name)
    if (!file) lies.push(`${where}: its file is not among files`)
    const lie = file && findLie(one, file.bytes)
    if (lie) lies.push(`${where}: ${lie}`)
    return file ? [{ ...one, media_type: typeOfBytes(one.kind, file.bytes) ?? '', bytes: file.bytes }] : []
  })
  const twice = declared.find((one, place) => declared.findIndex(({ name }) => name === one.name) !== place)
  if (twice) lies.push(`artifacts: ${twice.name} is declared twice`)
  if (lies.length > 0) fail('validation_failed', `${lies.join('; ')}. Nothing of this report was taken.`)
  return checked
}

function findLie({ kind, size, sha256 }: DeclaredArtifact, bytes: Buffer): string | undefined {
  if (bytes.length !== size) return `it has ${bytes.length} bytes, not the declared ${size}`
  const real = createHash('sha256').update(bytes).digest('hex')
  if (real !== sha256) return `its SHA-256 is ${real}, not the declared one`
  if (typeOfBytes(kind, bytes) === undefined) return `it is no ${kind}: ${allowed[kind]}`
  return undefined
}

const allowed: Record<(typeof reportedKinds)[number], string> = {
  screenshot: 'a PNG, JPEG or WebP picture is',
  video: 'a WebM or MP4 video is',
  har: 'a JSON document with log.entries is',
  trace: 'a zip as Playwright writes it is',
  rrweb: 'JSON, a list or a line an event, is',
  console: 'text in UTF-8 is',
}

/** The media type as the bytes have it, whatever a name or a header says; undefined where they are not of this kind. */
function typeOfBytes(kind: (typeof reportedKinds)[number], bytes: Buffer): string | undefined {
  switch (kind) {
    case 'screenshot':
      return pictureType(bytes)
    case 'video':
      if (startsWith(bytes, '1a45dfa3')) return 'video/webm'
      return bytes.toString('latin1', 4, 8) === 'ftyp' ? 'video/mp4' : undefined
    case 'trace':
      return startsWith(bytes, '504b0304') ? 'application/zip' : undefined
    case 'har': {
      const document = parse(utf8(bytes)) as { log?: { entries?: unknown } } | undefined
      return Array.isArray(document?.log?.entries) ? 'application/json' : undefined
    }
    case 'rrweb': {
      const text = utf8(bytes)
      if (Array.isArray(parse(text))) return 'application/json'
      const lines = text?.split('\n').filter((line) => line !== '') ?? []
      return lines.length > 0 && lines.every((line) => typeof parse(line) === 'object')
        ? 'application/x-ndjson'
        : undefined
    }
    case 'console': {
      const text = utf8(bytes)
      return text !== undefined && !text.includes('\0') ? 'text/plain' : undefined
    }
  }
}

function pictureType(bytes: Buffer): string | undefined {
  if (startsWith(bytes, '89504e470d0a1a0a')) return 'image/png'
  if (startsWith(bytes, 'ffd8ff')) return 'image/jpeg'
  const webp = bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP'
  return webp ? 'image/webp' : undefined
}

const startsWith = (bytes: Buffer, hex: string) => bytes.subarray(0, hex.length / 2).toString('hex') === hex

function utf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}
