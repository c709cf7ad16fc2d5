import type { Command } from '../core/command.ts'
import { fail } from '../core/errors.ts'
import { readText, type Text } from '../core/read-text.ts'
import { inputSchema } from '../core/schema.ts'
import type { Options } from './cli.ts'
import { type Field, fieldsOf, positionalsOf } from './flags.ts'
import { readPath, readPaths, readSources } from './read-files.ts'
import type { Terminal } from './terminal.ts'

/** The command's input from what stands on the command line, typed by its schema; flags over positionals over --input. */
export async function readInput(
  command: Command,
  given: { args: string[]; options: Options },
  terminal: Terminal,
): Promise<Record<string, unknown>> {
  const fields = fieldsOf(command)
  const { input: whole, ...options } = given.options
  const base = typeof whole === 'string' ? await readWhole(whole, terminal) : {}
  const placed = placePositionals(command, fields, given.args)
  const input: Record<string, unknown> = { ...base }
  const values: Record<string, Text | boolean> = {}
  for (const field of fields) {
    const value = options[attribute(field.flag)] ?? placed[field.name]
    if (value === undefined) continue
    values[field.name] = value
    input[field.name] = await readValue(command, field, value, terminal)
  }
  await addAssets(fields, input, values)
  const missing = fields.filter((field) => field.required && !(field.name in input))
  if (missing.length === 0) return input
  const positionals = positionalsOf(command)
  const needs = missing.map((field) => (positionals.includes(field.name) ? `<${field.flag}>` : `--${field.flag}`))
  return fail('bad_request', `It needs ${needs.join(' and ')}. See --help.`)
}

/** What commander calls a flag's value. */
export const attribute = (flag: string): string =>
  flag.replace(/-(\w)/g, (_dash, letter: string) => letter.toUpperCase())

/** Text read from a file is the field's whole value: commas and braces in it mean nothing. */
async function readValue(command: Command, field: Field, value: Text | boolean, terminal: Terminal): Promise<unknown> {
  const text = typeof value === 'boolean' ? String(value) : value
  if (field.files !== undefined) return readSources([text].flat(), field.files, terminal)
  if (field.blob) return readBlobs(field.kind === 'list' ? [text].flat() : text)
  if (field.file) return readPaths(field.kind === 'list' ? [text].flat() : text, terminal)
  return readText(inputSchema(command), { [field.name]: text })[field.name]
}

async function readBlobs(paths: Text): Promise<unknown> {
  const { readBlob } = await import('./assets.ts')
  return typeof paths === 'string' ? readBlob(paths) : Promise.all(paths.map(readBlob))
}

/** A scenario given by its path brings what its steps upload from beside it, unless the caller says what to bring. */
async function addAssets(
  fields: Field[],
  input: Record<string, unknown>,
  paths: Record<string, Text | boolean>,
): Promise<void> {
  const assets = fields.find((field) => field.name === 'assets' && field.blob)
  const source = fields.find((field) => field.file)
  if (!assets || !source || assets.name in input) return
  const path = paths[source.name]
  const content = input[source.name]
  if (typeof path !== 'string' || path === '-' || path.includes('\n') || typeof content !== 'string') return
  const { assetsBeside } = await import('./assets.ts')
  const found = await assetsBeside(path, content)
  if (found.length > 0) input[assets.name] = found
}

function placePositionals(command: Command, fields: Field[], args: string[]): Record<string, Text> {
  const names = positionalsOf(command)
  const placed: Record<string, Text> = {}
  const rest = [...args]
  for (const name of names) {
    const list = fields.find((field) => field.name === name)?.kind === 'list'
    const value = list ? rest.splice(0) : rest.shift()
    if (value !== undefined && value.length > 0) placed[name] = value
  }
  if (rest.length === 0) return placed
  const takes = names.length > 0 ? `it takes ${names.map((name) => `<${name}>`).join(' ')}` : 'it takes none'
  return fail('bad_request', `"${rest[0]}" is one argument too many: ${takes}. See --help.`)
}

async function readWhole(value: string, terminal: Terminal): Promise<Record<string, unknown>> {
  const text = value.trimStart().startsWith('{') ? value : await readPath(value, terminal)
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, unknown>
  } catch (cause) {
    return fail('malformed_json', `--input is not JSON: ${(cause as Error).message}.`, { cause })
  }
  return fail('bad_request', '--input takes a JSON object.')
}
