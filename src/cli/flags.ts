import type { Command } from '../core/command.ts'
import { typeOf } from '../core/read-text.ts'
import { inputSchema, type JsonSchema } from '../core/schema.ts'

/** One input field as the CLI takes it. `flag` without its dashes. */
export interface Field {
  name: string
  flag: string
  kind: 'text' | 'boolean' | 'list' | 'object'
  /** Takes a path, or `-` for standard input. */
  file: boolean
  /** Takes paths and folders of files with this ending, as `{file, content}`. */
  files: string | undefined
  /** Takes the path of a file whose bytes are sent. */
  blob: boolean
  required: boolean
  placeholder: string
  description: string
  choices: string[] | undefined
}

/** Flags that every command has; a field of the same name keeps it for itself, save for --json, --input and --help. */
export const commonFlags = {
  json: 'The answer alone, as one JSON document; events before it, one a line',
  input: 'The whole input as JSON, or a path to it, or - for standard input',
  'idempotency-key': 'A repeated request with this key has one effect',
  org: 'Which of your orgs (MOLAR_ORG)',
  url: 'The server to ask instead of this machine (MOLAR_URL)',
  key: 'An API key; others see it among the processes, so prefer MOLAR_API_KEY',
} as const

/** The fields of a command's input, in their order. */
export function fieldsOf(command: Command): Field[] {
  const schema = inputSchema(command)
  return Object.entries(schema.properties ?? {}).map(([name, field]) =>
    readField(name, field, schema.required?.includes(name) ?? false),
  )
}

/** The names of the fields that stand without a flag: the path's, then the command's own. */
export function positionalsOf(command: Command): string[] {
  const inPath = [...(command.routes[0]?.path ?? '').matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '')
  return [...new Set([...inPath, ...(command.positionals ?? [])])]
}

/** `startMany` → `start-many`, `base_url` → `base-url`. */
export const kebab = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replaceAll('_', '-')

function readField(name: string, field: JsonSchema, required: boolean): Field {
  const { type, schema } = typeOf(field)
  const items = type === 'array' ? typeOf(schema.items ?? {}) : undefined
  const file = [field, schema, schema.items].some((one) => one?.['x-molar-text'] === true)
  const blob = [field, schema, schema.items].some((one) => one?.['x-molar-blob'] === true)
  const files = [field, schema].map((one) => one['x-molar-files']).find((ending) => typeof ending === 'string') as
    | string
    | undefined
  const choices = (items?.schema.enum ?? schema.enum)?.filter((value) => value !== null).map(String)
  const kind = type === 'boolean' ? 'boolean' : type === 'array' ? 'list' : type === 'object' ? 'object' : 'text'
  return {
    name,
    flag: kebab(name),
    kind,
    file,
    files,
    blob,
    required,
    placeholder: placeholder(type, items?.type, file || blob || files !== undefined),
    description: say(field, choices),
    choices,
  }
}

function placeholder(type: string | undefined, items: string | undefined, file: boolean): string {
  if (file) return 'path'
  if (type === 'integer' || type === 'number') return 'number'
  if (type === 'object' || items === 'object') return 'json'
  return 'value'
}

function say(field: JsonSchema, choices: string[] | undefined): string {
  const files = field['x-molar-files'] === undefined ? '' : `Files, folders of *${field['x-molar-files']}, or -`
  const said = typeof field.description === 'string' ? field.description : files
  const allowed = choices && choices.length <= 12 ? `one of ${choices.join(', ')}` : ''
  const standard =
    field.default !== undefined && String(field.default) !== '' ? `default ${JSON.stringify(field.default)}` : ''
  const facts = [allowed, standard].filter(Boolean).join('; ')
  return said && facts ? `${said} (${facts})` : said || facts
}
