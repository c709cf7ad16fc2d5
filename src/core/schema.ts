import { z } from 'zod'
import type { AnyObject, Command } from './command.ts'

/** JSON Schema (draft 2020-12) as doors use it: an object root without $ref or a top-level composition. */
export interface JsonSchema {
  type?: string | string[]
  properties?: Record<string, JsonSchema>
  required?: string[]
  items?: JsonSchema
  additionalProperties?: boolean | JsonSchema
  anyOf?: JsonSchema[]
  enum?: unknown[]
  [keyword: string]: unknown
}

const inputs = new WeakMap<Command, JsonSchema>()
const outputs = new WeakMap<Command, JsonSchema>()

/** What `call()` accepts. Unknown fields are refused, as parsing refuses them. Built once per command. */
export function inputSchema(command: Command): JsonSchema {
  return cached(inputs, command, () => ({ ...build(command.input, 'input'), additionalProperties: false }))
}

/** What `call()` answers. Readers must live with new fields, so none are ruled out. Built once per command. */
export function outputSchema(command: Command): JsonSchema {
  return cached(outputs, command, () => build(command.output, 'output'))
}

function cached(cache: WeakMap<Command, JsonSchema>, command: Command, make: () => JsonSchema): JsonSchema {
  const known = cache.get(command)
  if (known) return known
  const made = make()
  cache.set(command, made)
  return made
}

/** The JSON Schema of an object, or of any schema inside one, such as a command's events. */
export function build(schema: AnyObject | z.ZodType, io: 'input' | 'output'): JsonSchema {
  const written = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    unrepresentable: 'any',
    override: (at) => tidy(at.jsonSchema as JsonSchema, io),
  }) as JsonSchema
  const { $schema: _dialect, ...root } = written
  return inlineRoot(root)
}

/** zod spells out what a format already says, and the bounds of every integer: noise, and long. */
function tidy(schema: JsonSchema, io: 'input' | 'output'): void {
  if (schema.format !== undefined) delete schema.pattern
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum
  if (io === 'output' && schema.additionalProperties === false) delete schema.additionalProperties
}

/** A schema with `.meta({ id })` comes out as a bare $ref, which strict clients refuse at the root. */
function inlineRoot(root: JsonSchema): JsonSchema {
  const reference = typeof root.$ref === 'string' ? root.$ref : undefined
  const definitions = root.$defs as Record<string, JsonSchema> | undefined
  const target = reference?.startsWith('#/$defs/') ? definitions?.[reference.slice('#/$defs/'.length)] : undefined
  if (!target) return root
  const { $ref: _reference, ...rest } = root
  return { ...target, ...rest }
}
