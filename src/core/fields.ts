import { z } from 'zod'

/** Building blocks of inputs and outputs. Each is one idea with one error message. */

export const id = z.uuid({ error: 'must be a UUID, such as 019301c0-cafe-7000-bea7-000000000001' })
export const slug = z.string().regex(/^[a-z0-9-]{1,64}$/, 'must be 1 to 64 of a-z, 0-9 and -')
/** A scenario by the slug its author gave it, or by its id. */
export const scenarioRef = z.string().regex(/^[a-z0-9-]{1,64}$/, 'must be a scenario slug (a-z, 0-9, -) or id')

/** An instant: Dates become ISO 8601 text on the way out. */
export const time = z.preprocess((value) => (value instanceof Date ? value.toISOString() : value), z.iso.datetime())
export const nullableTime = z.preprocess(
  (value) => (value instanceof Date ? value.toISOString() : value),
  z.iso.datetime().nullable(),
)
/** An instant as a caller writes it; inside as UTC, because PostgreSQL knows neither the year 0 nor every zone of ISO 8601. */
export const instant = z.iso
  .datetime({ offset: true, error: 'must be an ISO 8601 time with its zone, such as 2026-01-31T10:00:00Z' })
  .refine(
    (text) => {
      const year = new Date(text).getUTCFullYear()
      return year >= 1 && year <= 9999
    },
    { error: 'must lie between the years 1 and 9999, in UTC', abort: true },
  )
  .transform((text) => new Date(text).toISOString())

/** No line breaks, no control characters, nothing that turns the direction of what stands beside it. */
export const isOneLine = (text: string): boolean => !/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(text)

/** A name that people see, in mails and on pages of others too. */
export const shownName = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(100)
  .refine(isOneLine, 'must be one line, without control characters')

/** Text that may be long: the CLI also takes a path or `-` for standard input. */
export const text = (max: number) => z.string().max(max).meta({ 'x-molar-text': true })
/** A file's bytes: a path on the CLI, a part of a multipart request, base64 elsewhere. Inside: `{name, media_type, bytes}`. */
export const blob = (maxBytes: number) =>
  z
    .object({
      name: z.string().regex(/^[\w][\w .-]{0,127}$/, 'must be a plain file name'),
      media_type: z.string().max(100).default('application/octet-stream'),
      base64: z.base64().max(Math.ceil(maxBytes / 3) * 4),
    })
    .transform(({ base64, ...facts }) => ({ ...facts, bytes: Buffer.from(base64, 'base64') }))
    .meta({ 'x-molar-blob': true })

/** Files that steps upload, beside the scenario that does. */
export const assets = z.array(blob(2 * 1024 * 1024)).max(20)

/** Scenario files: paths and folders on the CLI, inline `{file, content}` elsewhere; as an answer, the CLI writes them. */
export const files = (max: number) =>
  z
    .array(
      z.object({
        file: z.string().max(1024).optional().describe('Its path, for messages'),
        content: z.string().max(400 * 1024),
        assets: assets.optional().describe('Files that its steps upload'),
      }),
    )
    .max(max)
    .meta({ 'x-molar-files': '.molar.md' })

/** Files that an answer holds: the CLI writes them. */
export const writtenFiles = z
  .array(z.object({ file: z.string(), content: z.string() }))
  .meta({ 'x-molar-files': 'write' })

/** Plaintext shown once: a stored answer that holds one is encrypted, and no log or audit event has it. */
export const secret = () => z.string().meta({ 'x-molar-secret': true })
/** Text written by a page, a repository or another agent: doors mark it as data. */
export const untrusted = () => z.string().meta({ 'x-molar-untrusted': true })

export const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL, such as http://localhost:3000' })
  .max(2048)

/** What every list takes. Cursors are opaque and belong to one list with one set of filters. */
export const pageInput = {
  limit: z.int().min(1).max(200).default(20).describe('Most items in the answer, 1 to 200'),
  cursor: z.string().max(1024).optional().describe('next_cursor of the page before'),
  fields: z.array(z.string().max(64)).max(50).optional().describe('Only these fields of each item'),
}

/** A list's answer. `truncated`: items were left out because the answer grew too large; next_cursor goes on from there. */
export function page<Shape extends z.ZodRawShape>(item: z.ZodObject<Shape>) {
  return z.object({
    items: z.array(item.partial()),
    next_cursor: z.string().nullable(),
    truncated: z.boolean(),
  })
}
