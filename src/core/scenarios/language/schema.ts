import { z } from 'zod'
import { isReferenceName } from './values.ts'

const text = z.string('must be text').min(1, 'must not be empty').max(2000, 'has at most 2000 characters')
const texts = z.array(text, 'must be a list of texts').max(200, 'has at most 200 entries')
const flag = z.boolean('must be true or false')
const glob = text.max(1000, 'has at most 1000 characters').refine((value) => value.split('**').length <= 9, {
  error: 'has "**" at most 8 times',
  params: { code: 'MOLAR_S011' },
})
const slug = z.string('must be text').refine(isSlug, 'is made of 1 to 64 lower-case letters, digits and hyphens')
const milliseconds = z
  .int('must be a whole number of milliseconds')
  .min(1, 'must be at least 1')
  .max(3_600_000, 'must be at most 3600000, an hour')
const baseUrl = z.string('must be text').refine(isHttpUrl, 'must be an http(s) URL, such as http://localhost:3000')
const timezone = z.string('must be text').refine(isTimezone, 'must be an IANA time zone, such as Europe/Berlin')
const name = z.string('must be text').refine(isReferenceName, 'is made of letters, digits, "_", "-" and "."')
const secret = z
  .string('must be text')
  .refine((value) => isReferenceName(value) && !value.includes('.'), 'is made of letters, digits and "_"')
const reserved = ['env', 'secrets', 'run', 'remembered', 'data']

/** The keys of a scenario's front matter; each message reads on after the key. */
export const frontMatterSchema = z.strictObject({
  spec_version: z.literal('1.0', "must be '1.0', in quotes"),
  id: z.string('must be text').refine(isUuidv7, 'must be a UUIDv7'),
  slug,
  description: text,
  priority: z.enum(['low', 'medium', 'high', 'critical'], 'must be low, medium, high or critical').optional(),
  tags: texts.optional(),
  keywords: texts.optional(),
  owner: text.optional(),
  environment: texts.optional(),
  base_url: baseUrl.optional(),
  variables: z
    .record(
      name.refine(
        (key) => !reserved.includes(key.split('.')[0] as string),
        `does not begin with ${reserved.join(', ')}`,
      ),
      z.string('must be text').refine((value) => !value.includes('${'), 'is plain text; no ${…} in it'),
      'must be a map of names to texts',
    )
    .optional(),
  secrets: z.array(secret, 'must be a list of names').max(100, 'has at most 100 entries').optional(),
  affects: z.array(glob, 'must be a list of globs').max(200, 'has at most 200 entries').optional(),
  clones: z
    .array(
      z.strictObject(
        {
          kind: slug,
          seed: text.optional(),
          persistence: z.enum(['memory', 'badger', 'pg'], 'must be memory, badger or pg').optional(),
        },
        { error: 'must be a map of kind, seed and persistence' },
      ),
      'must be a list of clones',
    )
    .max(30, 'has at most 30 entries')
    .optional(),
  schedule: z
    .strictObject(
      {
        cron: z.string('must be text').refine(isCron, 'must have five fields, such as */5 * * * *'),
        timezone: timezone.optional(),
        regions: texts.optional(),
        base_url: baseUrl.optional(),
      },
      { error: 'must be a map of cron, timezone, regions and base_url' },
    )
    .optional(),
  shadow_prod: flag.optional(),
  mender: z
    .strictObject(
      {
        mode: z.enum(['off', 'suggestive', 'aggressive'], 'must be off, suggestive or aggressive'),
        forbidden_paths: z.array(glob, 'must be a list of globs').max(200, 'has at most 200 entries').optional(),
      },
      { error: 'must be a map of mode and forbidden_paths' },
    )
    .optional(),
  timeout_ms: milliseconds.optional(),
  step_timeout_ms: milliseconds.optional(),
  retries: z.int('must be a whole number').min(0, 'must be at least 0').max(10, 'must be at most 10').optional(),
  assertions: z
    .strictObject(
      {
        no_console_errors: flag.optional(),
        no_unhandled_rejections: flag.optional(),
        no_failed_requests: flag.optional(),
      },
      { error: 'must be a map of no_console_errors, no_unhandled_rejections and no_failed_requests' },
    )
    .optional(),
  viewport: z
    .string('must be text')
    .refine((value) => viewportOf(value) !== undefined, 'must be desktop, tablet, mobile or a size such as 1280x720')
    .optional(),
  locale: z.string('must be text').refine(isLocale, 'must be a locale, such as en-US').optional(),
  timezone: timezone.optional(),
  color_scheme: z.enum(['light', 'dark'], 'must be light or dark').optional(),
  uses: z.array(slug, 'must be a list of slugs').max(20, 'has at most 20 entries').optional(),
  data: z
    .array(z.record(secret, z.string('must be text'), 'must be a map of columns to texts'), 'must be a list of rows')
    .min(1, 'must have at least one row')
    .max(500, 'has at most 500 rows')
    .optional(),
})

export type FrontMatter = z.infer<typeof frontMatterSchema>

const viewports: Readonly<Record<string, { width: number; height: number; mobile: boolean }>> = {
  desktop: { width: 1280, height: 720, mobile: false },
  tablet: { width: 820, height: 1180, mobile: true },
  mobile: { width: 390, height: 844, mobile: true },
}

/** The size in CSS pixels of `desktop`, `tablet`, `mobile` or `1280x720`. */
export function viewportOf(text: string): { width: number; height: number; mobile: boolean } | undefined {
  if (Object.hasOwn(viewports, text)) return viewports[text]
  const size = text.length <= 9 ? /^(\d{2,4})x(\d{2,4})$/.exec(text) : null
  return size ? { width: Number(size[1]), height: Number(size[2]), mobile: false } : undefined
}

export function isSlug(value: string): boolean {
  return value.length <= 64 && /^[a-z0-9-]+$/.test(value)
}

function isUuidv7(value: string): boolean {
  return value.length === 36 && /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i.test(value)
}

export function isHttpUrl(value: string): boolean {
  const url = value.length <= 2000 ? URL.parse(value) : null
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && !value.includes('${')
}

function isTimezone(value: string): boolean {
  try {
    return value.length <= 64 && new Intl.DateTimeFormat('en', { timeZone: value }) !== undefined
  } catch {
    return false
  }
}

function isLocale(value: string): boolean {
  try {
    return value.length > 0 && value.length <= 64 && Intl.getCanonicalLocales(value).length === 1
  } catch {
    return false
  }
}

function isCron(value: string): boolean {
  const fields = value.length <= 200 ? value.trim().split(/\s+/) : []
  return fields.length === 5 && fields.every((field) => /^[0-9A-Za-z*,/-]+$/.test(field))
}
