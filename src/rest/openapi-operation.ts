import type { Command, Example, Route } from '../core/command.ts'
import { build, inputSchema, type JsonSchema, outputSchema } from '../core/schema.ts'
import { orgHeaders } from './context.ts'
import { blobFields } from './multipart.ts'
import type { Components } from './openapi.ts'
import { describeErrors, errorsOf } from './openapi-errors.ts'

export interface Operation {
  operationId: string
  summary: string
  tags: string[]
  responses: Record<string, object>
  [field: string]: unknown
}

type Fields = Record<string, unknown>

/** One route of a command. The first one has the command's name as its operationId, further ones a number behind it. */
export function describeOperation(command: Command, route: Route, index: number, components: Components): Operation {
  const input = relocate(inputSchema(command), `${typeName(command)}Input`, components)
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
  const rest = Object.keys(input.properties ?? {}).filter(
    (name) => !inPath.includes(name) && !Object.hasOwn(route.fixed, name),
  )
  const inQuery = route.method === 'GET' || route.method === 'DELETE' ? rest : []
  const inBody = rest.filter((name) => !inQuery.includes(name))
  const body = describeBody(command, input, inBody)
  return {
    operationId: index === 0 ? command.name : `${command.name}_${index + 1}`,
    summary: command.title,
    description: `${command.summary} Needs the scope ${command.access.scope}.`,
    tags: [tagOf(command)],
    security: [{ bearer: [command.access.scope] }],
    parameters: [
      ...inPath.map((name) => describeParameter(command, input, name, 'path')),
      ...inQuery.map((name) => describeParameter(command, input, name, 'query')),
      ...headerParameters(command),
    ],
    ...(body && { requestBody: body }),
    responses: {
      ...describeAnswer(command, route, components),
      ...describeErrors(errorsOf(command, route), components),
    },
  }
}

/** `scheduled_checks` → Scheduled Checks */
export const tagOf = ({ noun }: Command): string => noun.split(/[_-]/).map(capital).join(' ')
/** `runs.get` → RunsGet */
const typeName = ({ name }: Command): string => name.split(/[._-]/).map(capital).join('')
const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

/** The parameters that every operation, every write and every stream takes, as headers. */
export const sharedParameters = {
  Org: header(
    'x-org-id',
    `Which of the caller's orgs is meant, by id or slug. ${orgHeaders.slice(1).join(', ')} mean the same.`,
  ),
  RequestId: header(
    'x-request-id',
    'An id of the caller’s own for this request: 1 to 128 of A-Z, a-z, 0-9, _ . : and -',
  ),
  IdempotencyKey: header(
    'idempotency-key',
    'Sent again with the same request within 24 hours, it gives the first answer again.',
  ),
  LastEventId: header('last-event-id', 'The id of the last event read: the stream goes on behind it.'),
}

export const sharedHeaders = {
  RequestId: { description: 'Names this request in the server’s log.', schema: { type: 'string' } },
}

function header(name: string, description: string) {
  return { name, in: 'header', required: false, description, schema: { type: 'string' } }
}

function headerParameters(command: Command): { $ref: string }[] {
  const names = [
    'Org',
    'RequestId',
    ...(command.effect === 'read' ? [] : ['IdempotencyKey']),
    ...(command.events && 'after' in command.input.shape ? ['LastEventId'] : []),
  ]
  return names.map((name) => ({ $ref: `#/components/parameters/${name}` }))
}

/** A list is repeated or comma-separated, an object is JSON text: what core's one reader of text takes. */
function describeParameter(command: Command, input: JsonSchema, name: string, place: 'path' | 'query') {
  const { description, ...schema } = input.properties?.[name] ?? {}
  const value = command.examples.find(({ error, input }) => !error && (input as Fields)[name] !== undefined)?.input as
    | Fields
    | undefined
  return {
    name,
    in: place,
    required: place === 'path' || (input.required ?? []).includes(name),
    ...(typeof description === 'string' && { description }),
    ...(schema.type === 'object' ? { content: { 'application/json': { schema } } } : { schema }),
    ...(value && schema.type !== 'object' && { example: value[name] }),
  }
}

function describeBody(command: Command, input: JsonSchema, names: string[]) {
  if (names.length === 0) return undefined
  const required = (input.required ?? []).filter((name) => names.includes(name))
  const schema = {
    ...input,
    properties: pick(input.properties ?? {}, names),
    ...(required.length > 0 ? { required } : { required: undefined }),
  }
  const examples = command.examples
    .filter(({ error }) => !error)
    .map((example) => [example, pick(example.input as Fields, names)] as const)
  return {
    required: required.length > 0,
    content: { 'application/json': { schema: defined(schema), ...named(examples) }, ...multipartBody(command, schema) },
  }
}

/** The same fields as parts, files as they are. */
function multipartBody(command: Command, schema: JsonSchema) {
  const files = blobFields(command)
  if (files.length === 0) return {}
  const file = { type: 'string', format: 'binary' }
  const properties = Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([name, field]) => {
      if (!files.includes(name)) return [name, field]
      return [name, field.type === 'array' ? { type: 'array', items: file } : file]
    }),
  )
  return { 'multipart/form-data': { schema: defined({ ...schema, properties }) } }
}

function describeAnswer(command: Command, route: Route, components: Components): Record<string, object> {
  const name = `${typeName(command)}Answer`
  const whole = relocate(outputSchema(command), name, components)
  components.schemas[name] = whole
  const schema =
    route.unwrap !== undefined
      ? (whole.properties?.[route.unwrap] ?? whole)
      : route.envelope
        ? enveloped(whole, route.envelope)
        : { $ref: `#/components/schemas/${name}` }
  const full =
    route.unwrap === undefined && !route.envelope
      ? command.examples.filter(({ output }) => command.output.safeParse(output).success)
      : []
  const content: Record<string, object> = {}
  content['application/json'] = { schema, ...named(full.map((example) => [example, example.output])) }
  if (command.render) content['text/markdown'] = { schema: { type: 'string', description: 'The answer as Markdown.' } }
  if (command.events) content['text/event-stream'] = { schema: describeEvents(command, components) }
  const headers = { 'X-Request-Id': { $ref: '#/components/headers/RequestId' } }
  const answer = { description: command.title, headers, ...(route.status !== 204 && { content }) }
  if (!command.redirect) return { [route.status]: answer }
  const location = { description: 'Where it lies.', schema: { type: 'string', format: 'uri' } }
  return {
    [route.status]: { ...answer, description: 'With Accept: application/json' },
    302: { description: 'Where it lies', headers: { ...headers, Location: location } },
  }
}

/** A list under the contract's name. */
function enveloped(whole: JsonSchema, { items, count }: NonNullable<Route['envelope']>): JsonSchema {
  const { items: list, ...rest } = whole.properties ?? {}
  const names = [items, ...(count ? ['count'] : []), ...(whole.required ?? []).filter((name) => name !== 'items')]
  const properties = { [items]: list ?? {}, ...(count && { count: { type: 'integer' } }), ...rest }
  return { ...whole, properties, required: names }
}

function describeEvents(command: Command, components: Components): JsonSchema {
  const event = relocate(build(command.events!, 'output'), `${typeName(command)}Event`, components)
  return {
    type: 'string',
    description:
      'Server-sent events. Each data line is one JSON event; the last one is `event: result` with the answer, or `event: error`. A comment comes every 15 s.',
    contentMediaType: 'application/json',
    contentSchema: event,
  }
}

/** Moves what a schema defines for itself among the components, where the document's references reach it. */
function relocate(schema: JsonSchema, owner: string, components: Components): JsonSchema {
  const { $defs, ...rest } = schema
  if (!$defs) return schema
  const move = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value).replaceAll('"#/$defs/', `"#/components/schemas/${owner}.`))
  for (const [name, definition] of Object.entries($defs)) components.schemas[`${owner}.${name}`] = move(definition)
  return move(rest) as JsonSchema
}

/** Examples by a key made of their title. */
function named(examples: readonly (readonly [Example<unknown, unknown>, unknown])[]) {
  if (examples.length === 0) return {}
  const entries = examples.map(([{ title }, value]) => [title.replaceAll(/[^\w]+/g, '_'), { summary: title, value }])
  return { examples: Object.fromEntries(entries) }
}

const pick = <Value>(fields: Record<string, Value>, names: string[]): Record<string, Value> =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => names.includes(name)))
const defined = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
