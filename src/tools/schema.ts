import type { Command } from '../core/command.ts'
import { inputSchema, type JsonSchema, outputSchema } from '../core/schema.ts'
import { untrustedFields, untrustedKey } from '../core/untrusted.ts'

/** A schema with an object root, as every MCP client wants it. */
export type ToolSchema = { type: 'object' } & JsonSchema

/** Below this depth an answer's schema says only the type: the answer itself shows the rest, and the list costs tokens. */
const outputDepth = 1

/** The input's schema without what only other doors read. */
export function toolInput(command: Command): ToolSchema {
  return { ...withoutMarks(inputSchema(command)), type: 'object' }
}

/** A looser, smaller form of the output's schema: names, types, and which text is not to be trusted. */
export function toolOutput(command: Command): ToolSchema {
  return { ...loosen(outputSchema(command), outputDepth), type: 'object' }
}

function withoutMarks(schema: JsonSchema): JsonSchema {
  const kept = Object.entries(schema).filter(([key]) => !key.startsWith('x-molar-'))
  return Object.fromEntries(
    kept.map(([key, value]) => [key, key === 'properties' ? mapValues(value) : walk(key, value)]),
  )
}

const mapValues = (properties: unknown) =>
  Object.fromEntries(
    Object.entries(properties as Record<string, JsonSchema>).map(([key, value]) => [key, withoutMarks(value)]),
  )

/** Only where a schema holds schemas: an enum's values or a default are data and stay as they are. */
function walk(key: string, value: unknown): unknown {
  if (key === 'items' || (key === 'additionalProperties' && typeof value === 'object'))
    return withoutMarks(value as JsonSchema)
  if (key === 'anyOf' || key === 'oneOf') return (value as JsonSchema[]).map(withoutMarks)
  return value
}

function loosen(schema: JsonSchema, depth: number): JsonSchema {
  const type = typesOf(schema)
  const loose: JsonSchema = type.length === 0 ? {} : { type: type.length === 1 ? type[0]! : type }
  if (schema.enum && schema.enum.length <= 8) loose.enum = schema.enum
  if (depth === 0) {
    if (untrustedFields(schema).length > 0) loose[untrustedKey] = true
    return loose
  }
  if (schema[untrustedKey] === true) loose[untrustedKey] = true
  const whole = nonNull(schema)
  if (whole.items) loose.items = loosen(whole.items, depth - 1)
  if (whole.properties) {
    loose.properties = Object.fromEntries(
      Object.entries(whole.properties).map(([key, part]) => [key, loosen(part, depth - 1)]),
    )
  }
  return loose
}

/** A nullable field is written as anyOf of a type and null: its other branch, where there is just one. */
function nonNull(schema: JsonSchema): JsonSchema {
  const others = (schema.anyOf ?? []).filter((branch) => branch.type !== 'null')
  return others.length === 1 ? others[0]! : schema
}

/** Every type that the schema lets through; none where it does not say, as then anything goes. */
function typesOf(schema: JsonSchema): string[] {
  const branches = schema.anyOf ?? (schema.oneOf as JsonSchema[] | undefined)
  if (!branches) return [schema.type ?? []].flat()
  const each = branches.map(typesOf)
  return each.some((types) => types.length === 0) ? [] : [...new Set(each.flat())]
}
