import type { JsonSchema } from './schema.ts'

/** One value as a query string or a flag gives it; several where it was repeated. */
export type Text = string | string[]

/**
 * Types text by the schema: numbers, booleans (an empty text is true), lists by repetition or commas, objects as JSON
 * or `key=value`. What does not read as its type stays text, so that parsing can say what is wrong with it.
 */
export function readText(schema: JsonSchema, raw: Record<string, Text>): Record<string, unknown> {
  const entries = Object.entries(raw).map(([key, text]) => {
    const known = Object.hasOwn(schema.properties ?? {}, key) ? schema.properties?.[key] : undefined
    return [key, known ? readField(known, text) : text]
  })
  return Object.fromEntries(entries)
}

/** The type that a field's text is read as; undefined where anything goes. A nullable field is its other type. */
export function typeOf(schema: JsonSchema): { type: string | undefined; schema: JsonSchema; nullable: boolean } {
  const branches = schema.anyOf ?? (schema.oneOf as JsonSchema[] | undefined)
  if (branches) {
    const others = branches.filter((branch) => branch.type !== 'null')
    const nullable = others.length < branches.length
    const [only] = others
    if (only && others.length === 1) return { ...typeOf(only), nullable }
    return { type: undefined, schema, nullable }
  }
  const types = [schema.type ?? []].flat()
  const named = types.filter((type) => type !== 'null')
  const type =
    named.length === 1 ? named[0] : schema.enum?.every((value) => typeof value === 'string') ? 'string' : undefined
  return { type, schema, nullable: named.length < types.length }
}

function readField(field: JsonSchema, text: Text): unknown {
  const { type, schema, nullable } = typeOf(field)
  if (nullable && text === 'null') return null
  if (type === 'array') return readList(schema.items ?? {}, text)
  if (type === 'object' && Array.isArray(text) && text.length > 1) return readPairs(schema, text) ?? text
  if (Array.isArray(text)) return text.length === 1 ? readOne(schema, type, text[0]!) : text
  return readOne(schema, type, text)
}

function readOne(schema: JsonSchema, type: string | undefined, text: string): unknown {
  if (type === 'integer' || type === 'number') return /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : text
  if (type === 'boolean') return { '': true, true: true, '1': true, false: false, '0': false }[text] ?? text
  if (type === 'object') return readJson(text, '{') ?? readPairs(schema, [text]) ?? text
  if (type === 'array') return readList(schema.items ?? {}, text)
  return type === undefined ? (readJson(text, '{[') ?? text) : text
}

function readList(items: JsonSchema, text: Text): unknown {
  const [only, ...others] = [text].flat()
  if (only !== undefined && others.length === 0) {
    const whole = readJson(only, '[')
    if (whole !== undefined) return whole
  }
  const simple = !['object', 'array'].includes(typeOf(items).type ?? '')
  const parts = [text].flat().flatMap((part) => (simple ? part.split(',') : [part]))
  return parts.filter((part) => part !== '').map((part) => readField(items, part))
}

/** `a=1 b=2` as an object; undefined when a part has no `=`. */
function readPairs(schema: JsonSchema, parts: string[]): Record<string, unknown> | undefined {
  const pairs = parts.map((part) => part.split(/=(.*)/s).slice(0, 2))
  if (pairs.some((pair) => pair.length < 2 || pair[0] === '')) return undefined
  const values = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : { type: 'string' }
  return Object.fromEntries(
    pairs.map(([key = '', value = '']) => [key, readField(schema.properties?.[key] ?? values, value)]),
  )
}

function readJson(text: string, opens: string): unknown {
  if (!opens.includes(text.trimStart().charAt(0) || ' ')) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
