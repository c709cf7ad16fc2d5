import fastifyMultipart, { type Multipart } from '@fastify/multipart'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Command } from '../core/command.ts'
import { CommandError, fail } from '../core/errors.ts'
import { readText, type Text } from '../core/read-text.ts'
import { inputSchema, type JsonSchema } from '../core/schema.ts'

/** A request's files together; each one has the limit of its field as well. */
const mostBytes = 64 * 1024 * 1024
const limits = { fileSize: 32 * 1024 * 1024, files: 50, fields: 50, fieldSize: 4 * 1024 * 1024, parts: 100 }

/** The input fields that take files. */
export function blobFields(command: Command): string[] {
  const isBlob = (field: JsonSchema | undefined) => field?.['x-molar-blob'] === true
  return Object.entries(inputSchema(command).properties ?? {})
    .filter(([, field]) => isBlob(field) || isBlob(field.items))
    .map(([name]) => name)
}

/** Multipart for the commands that take files, and 415 for all others. */
export async function readMultipart(scope: FastifyInstance, commands: readonly Command[]): Promise<void> {
  await scope.register(fastifyMultipart, { limits, throwFileSizeLimit: true })
  const takers = new Map(commands.filter((one) => blobFields(one).length > 0).map((one) => [one.name, one]))
  scope.addHook('preHandler', async (request) => {
    if (!request.isMultipart()) return
    const command = takers.get(request.routeOptions.config.command as Command['name'])
    if (!command) fail('unsupported_media_type', 'Send the body as Content-Type: application/json.')
    request.body = await readParts(command, request)
  })
}

/** Parts named as the input's fields: lists and objects as JSON text, files as they are. */
async function readParts(command: Command, request: FastifyRequest): Promise<Record<string, unknown>> {
  const files = new Map<string, object[]>()
  const texts: Record<string, Text> = {}
  const takes = blobFields(command)
  let total = 0
  try {
    for await (const part of request.parts()) {
      if (part.type === 'field') {
        texts[part.fieldname] = [texts[part.fieldname] ?? [], textOf(part)].flat()
        continue
      }
      const bytes = await part.toBuffer()
      total += bytes.length
      if (total > mostBytes) fail('payload_too_large', `The files together have more than ${mostBytes >> 20} MiB.`)
      if (!takes.includes(part.fieldname))
        fail('validation_failed', `${part.fieldname}: takes no file. Files go to ${takes.join(' or ')}.`)
      const blob = { name: part.filename, media_type: part.mimetype, base64: bytes.toString('base64') }
      files.set(part.fieldname, [...(files.get(part.fieldname) ?? []), blob])
    }
  } catch (error) {
    throw translate(error)
  }
  const schema = inputSchema(command)
  const single = (name: string) => schema.properties?.[name]?.type !== 'array'
  const fields = [...files].map(([name, blobs]) => [name, single(name) && blobs.length === 1 ? blobs[0] : blobs])
  const typed = readText(
    schema,
    Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, text.length === 1 ? text[0]! : text])),
  )
  return { ...typed, ...Object.fromEntries(fields) }
}

const textOf = (part: Extract<Multipart, { type: 'field' }>): string =>
  typeof part.value === 'string' ? part.value : JSON.stringify(part.value)

function translate(error: unknown): unknown {
  const { code, statusCode, message } = error as { code?: string; statusCode?: number; message?: string }
  if (code === 'FST_REQ_FILE_TOO_LARGE' || statusCode === 413) {
    const most = `a file ${limits.fileSize >> 20} MiB, a text ${limits.fieldSize >> 20} MiB, ${limits.files} files`
    return new CommandError('payload_too_large', `The multipart body is too large: at most ${most}.`)
  }
  if (code?.startsWith('FST_') || /unexpected end of|terminated early|Malformed|boundary/i.test(message ?? ''))
    return new CommandError('bad_request', 'The body is not a whole multipart/form-data body.')
  return error
}
