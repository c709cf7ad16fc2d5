import { z } from 'zod'
import { nearest } from './nearest.ts'
import type { Report } from './problem.ts'
import type { Declared } from './references.ts'
import { type FrontMatter, frontMatterSchema } from './schema.ts'
import { uuidv7 } from './uuid.ts'
import { readYaml, type Yaml } from './yaml.ts'

type Issue = z.core.$ZodIssue

/** Where the YAML between the fences stands. */
export interface FrontMatterPlace {
  start: number
  end: number
}

/** The front matter, checked; undefined, with everything that is wrong reported, where it does not hold. */
export function readFrontMatter(
  source: string,
  place: FrontMatterPlace | undefined,
  report: Report,
): { frontMatter: FrontMatter | undefined; declared: Declared; yaml: Yaml | undefined } {
  const start = place ? source.indexOf('\n', place.start) + 1 : 0
  const end = place ? Math.max(start, source.lastIndexOf('\n', place.end - 1) + 1) : 0
  const yaml = readYaml(source.slice(start, end), start, report)
  if (!yaml) return { frontMatter: undefined, declared: nothingKnown, yaml }
  const data = withTexts(yaml.data, source, yaml)
  const parsed = frontMatterSchema.safeParse(data)
  const declared = declaredIn(data)
  if (parsed.success) {
    checkRows(parsed.data, yaml, report)
    return { frontMatter: parsed.data, declared, yaml }
  }
  const opening = { start: place?.start ?? 0, end: place ? place.start + 3 : 0 }
  for (const issue of parsed.error.issues) reportIssue(issue, yaml, opening, report)
  return { frontMatter: undefined, declared, yaml }
}

const nothingKnown: Declared = { variables: undefined, secrets: undefined, data: undefined, uses: undefined }

/** The names that steps may use, as far as their own keys hold, whatever else is wrong. */
function declaredIn(data: unknown): Declared {
  if (!isRecord(data)) return nothingKnown
  const { variables, secrets, data: rows, uses } = frontMatterSchema.shape
  return {
    variables: data.variables === undefined ? {} : variables.safeParse(data.variables).data,
    secrets: data.secrets === undefined ? [] : secrets.safeParse(data.secrets).data,
    data: data.data === undefined ? [] : rows.safeParse(data.data).data,
    uses: data.uses === undefined ? [] : uses.safeParse(data.uses).data,
  }
}

/** A table has the same columns in every row, and a scenario does not use itself. */
function checkRows({ data = [], uses = [], slug }: FrontMatter, yaml: Yaml, report: Report): void {
  const columns = Object.keys(data[0] ?? {})
  for (const [index, row] of data.entries()) {
    const same = Object.keys(row).length === columns.length && columns.every((column) => Object.hasOwn(row, column))
    if (same) continue
    const message = `Every row of "data" has the columns of the first: ${shortly(columns.join(', '))}.`
    report({ code: 'MOLAR_S003', message, ...yaml.valueAt(['data', index]), suggestions: [] })
  }
  const self = uses.indexOf(slug)
  if (self === -1) return
  const place = yaml.valueAt(['uses', self])
  report({ code: 'MOLAR_S003', message: 'A scenario cannot use itself.', ...place, suggestions: [] })
}

/** In maps of texts a plain `01234` or `1.10` or `true` is the text as written, not a number. */
function withTexts(data: unknown, source: string, yaml: Yaml): unknown {
  if (!isRecord(data)) return data
  const read = (map: unknown, path: PropertyKey[]): unknown =>
    isRecord(map)
      ? Object.fromEntries(
          Object.entries(map).map(([key, value]) => [key, asText(value, [...path, key], source, yaml)]),
        )
      : map
  return {
    ...data,
    ...(data.variables !== undefined && { variables: read(data.variables, ['variables']) }),
    ...(Array.isArray(data.data) && { data: data.data.map((row: unknown, index) => read(row, ['data', index])) }),
  }
}

function asText(value: unknown, path: PropertyKey[], source: string, yaml: Yaml): unknown {
  if (typeof value !== 'number' && typeof value !== 'boolean' && typeof value !== 'bigint') return value
  const { start, end } = yaml.valueAt(path)
  const text = source.slice(start, end)
  // An alias stands where the value does not.
  return text.startsWith('*') ? String(value) : text
}

function reportIssue(issue: Issue, yaml: Yaml, opening: { start: number; end: number }, report: Report): void {
  const path = issue.path
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(path)
    for (const key of issue.keys) {
      const place = yaml.keyAt([...path, key])
      const near = nearest(key, known)
      report({
        code: 'MOLAR_S004',
        message: `There is no key "${shortly(dotted([...path, key]))}".`,
        ...place,
        suggestions: near,
      })
    }
  } else if (path.length > 0 && !yaml.has(path)) missing(path, yaml, opening, report)
  else if (issue.code === 'invalid_key') {
    const told = issue.issues[0]?.message ?? 'is not allowed'
    report({
      code: 'MOLAR_S003',
      message: `The name "${shortly(String(path.at(-1)))}" ${told}.`,
      ...yaml.keyAt(path),
      suggestions: [],
    })
  } else {
    const code = issue.code === 'custom' && issue.params?.code === 'MOLAR_S011' ? 'MOLAR_S011' : 'MOLAR_S003'
    const message =
      path.length === 0 ? 'The front matter must be a map of keys.' : `"${dotted(path)}" ${issue.message}.`
    report({ code, message, ...yaml.valueAt(path), suggestions: meant(issue, yaml, path) })
  }
}

function missing(path: PropertyKey[], yaml: Yaml, opening: { start: number; end: number }, report: Report): void {
  const place = path.length === 1 ? opening : yaml.valueAt(path.slice(0, -1))
  const message = `The key "${dotted(path)}" is missing.`
  const fresh = path.length === 1 && path[0] === 'id' ? `id: ${uuidv7()}` : undefined
  const told = fresh ? `${message} This one is fresh, paste it: ${fresh}` : message
  const examples: Record<string, string> = { spec_version: "spec_version: '1.0'" }
  const example = fresh ?? examples[String(path[0])]
  report({ code: 'MOLAR_S002', message: told, ...place, suggestions: example ? [example] : [] })
}

/** The allowed values nearest to the one that stands there. */
function meant(issue: Issue, yaml: Yaml, path: PropertyKey[]): string[] {
  if (issue.code !== 'invalid_value') return issue.path[0] === 'id' ? [uuidv7()] : []
  const values = issue.values.map(String)
  const given = path.reduce<unknown>(
    (data, key) => (data as Record<PropertyKey, unknown> | undefined)?.[key],
    yaml.data,
  )
  const near = typeof given === 'string' ? nearest(given, values) : []
  return near.length > 0 ? near : path[0] === 'spec_version' ? ["'1.0'"] : values
}

/** The keys that the schema knows at a path. */
function keysAt(path: PropertyKey[]): string[] {
  let schema: unknown = frontMatterSchema
  for (const key of path) {
    schema = unwrapped(schema)
    if (schema instanceof z.ZodObject) schema = schema.shape[key as string]
    else if (schema instanceof z.ZodArray) schema = schema.element
  }
  schema = unwrapped(schema)
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
}

function unwrapped(schema: unknown): unknown {
  return schema instanceof z.ZodOptional ? schema.unwrap() : schema
}

function dotted(path: PropertyKey[]): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index > 0 ? '.' : ''}${String(key)}`))
    .join('')
}

function shortly(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
