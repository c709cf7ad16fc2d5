import { distance } from 'fastest-levenshtein'
import type { z } from 'zod'
import type { Command } from '../command.ts'
import { type ErrorCode, fail } from '../errors.ts'

/** Nouns whose contract answers 400 to input that does not fit; everywhere else it is 422. */
const badInput: Record<string, ErrorCode> = { traces: 'bad_request', orgs: 'bad_request' }

/** Spellings of the source documents, accepted beside the snake_case field. */
const spellings: Record<string, string> = { scenarioId: 'scenario_id', baseUrl: 'base_url' }

/** The typed input, or an error that names each bad field, what it got and what is allowed. */
export function parseInput(command: Command, raw: unknown): Record<string, unknown> {
  const code = badInput[command.noun] ?? 'validation_failed'
  const given = raw === undefined || raw === null ? {} : raw
  if (typeof given !== 'object' || Array.isArray(given))
    fail(code, `${command.name} takes an object, not ${describe(given)}.`)
  const input = respell(given as Record<string, unknown>, command.input.shape)
  const unstorable = findUnstorable(input, '')
  if (unstorable !== undefined)
    fail(code, `${unstorable}: holds a NUL character or broken Unicode, which cannot be stored.`)
  const parsed = strictInput(command).safeParse(input)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.flatMap((issue) => readIssue(issue, command.input.shape))
  const told = issues.map((issue) => `${issue.field}: ${issue.message}`).join('; ')
  fail(code, told.endsWith('?') ? told : `${told}.`, { details: { issues } })
}

const strictInputs = new WeakMap<Command, Command['input']>()

/** `.strict()` makes a new schema, which zod compiles at its first use: once a command, not once a call. */
function strictInput(command: Command): Command['input'] {
  const known = strictInputs.get(command)
  if (known) return known
  const made = command.input.strict()
  strictInputs.set(command, made)
  return made
}

function respell(input: Record<string, unknown>, shape: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(input).map(([key, value]) => {
      const spelt = spellings[key]
      return spelt !== undefined && !(key in shape) && spelt in shape ? [spelt, value] : [key, value]
    }),
  )
}

/** The path of a text that PostgreSQL cannot hold: NUL (22021, 22P05) and lone surrogates. */
function findUnstorable(value: unknown, path: string): string | undefined {
  if (typeof value === 'string') return value.includes('\0') || !value.isWellFormed() ? path || 'input' : undefined
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return undefined
  for (const [key, child] of Object.entries(value)) {
    const where = path === '' ? key : `${path}.${key}`
    if (key.includes('\0') || !key.isWellFormed()) return path || 'input'
    const found = findUnstorable(child, where)
    if (found !== undefined) return found
  }
  return undefined
}

function readIssue(issue: z.core.$ZodIssue, shape: Record<string, unknown>): { field: string; message: string }[] {
  const field = issue.path.join('.') || 'input'
  if (issue.code !== 'unrecognized_keys') return [{ field, message: lowerFirst(issue.message) }]
  const prefix = issue.path.length > 0 ? `${field}.` : ''
  return issue.keys.map((key) => ({
    field: prefix + key,
    message: `is not a field here${prefix ? '' : nearest(key, Object.keys(shape))}`,
  }))
}

function nearest(key: string, known: string[]): string {
  const [best] = known.map((name) => ({ name, far: distance(key, name) })).sort((a, b) => a.far - b.far)
  if (best && best.far <= 3) return `; did you mean ${best.name}?`
  return known.length > 0 ? `; it takes ${known.join(', ')}` : '; it takes none'
}

const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1)
const describe = (value: unknown) => (Array.isArray(value) ? 'a list' : `a ${typeof value}`)
