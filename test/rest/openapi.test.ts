import { readFileSync } from 'node:fs'
import { Validator } from '@seriousme/openapi-schema-validator'
import t from 'tap'
import { z } from 'zod'
import { defineCommand } from '../../src/core/command.ts'
import { commands } from '../../src/core/index.ts'
import { openApiDocument } from '../../src/rest/openapi.ts'
import { fixtureCommands, noteId } from '../fixtures/commands.ts'
import { fixtureApp } from './fixture.ts'

type Json = Record<string, unknown>
interface Operation extends Json {
  operationId: string
  summary: string
  parameters?: Json[]
  responses: Record<string, Json>
}

const tree: z.ZodType = z
  .object({
    name: z.string(),
    get children() {
      return z.array(tree)
    },
  })
  .meta({ id: 'Tree' })
const treeCommand = defineCommand({
  name: 'old_trees.get',
  tool: 'molar_get_tree',
  title: 'Get a tree',
  summary: 'A shape that holds itself.',
  input: z.object({}),
  output: z.object({ tree }),
  rest: 'GET /v1/trees',
  access: { scope: 'mcp:read' },
  effect: 'read',
  errors: [],
  examples: [],
  handler: async () => ({ tree: {} }),
})

const options = { url: 'https://molar.test', version: '1.2.3' }
const documents = {
  fixtures: openApiDocument([...fixtureCommands, treeCommand], options),
  commands: openApiDocument(commands, options),
}

const operationsOf = (document: object) =>
  Object.entries((document as { paths: Record<string, Record<string, Operation>> }).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )

function resolve(document: object, value: Json): Json {
  if (typeof value.$ref !== 'string') return value
  return value.$ref
    .slice(2)
    .split('/')
    .reduce((at, key) => at?.[key] as Json, document as Json)
}

/** Where a schema says nothing at all: `{}`, or a property that is `{}`. */
function emptySchemas(schema: Json, path: string): string[] {
  if (Object.keys(schema).length === 0) return [path]
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Json>)
  const inside = properties.flatMap(([key, value]) => emptySchemas(value, `${path}.${key}`))
  return [...inside, ...(schema.items ? emptySchemas(schema.items as Json, `${path}[]`) : [])]
}

for (const [name, document] of Object.entries(documents)) {
  t.test(`openapi.json of the ${name} is valid 3.1`, async (t) => {
    const { valid, errors } = await new Validator().validate(structuredClone(document) as never)
    t.ok(valid, JSON.stringify(errors)?.slice(0, 2000))
  })

  t.test(`every operation of the ${name} is whole`, async (t) => {
    const operations = operationsOf(document)
    t.equal(
      new Set(operations.map(({ operation }) => operation.operationId)).size,
      operations.length,
      'operationIds are unique',
    )
    for (const { path, method, operation } of operations) {
      const at = `${method} ${path}`
      t.ok(operation.summary, `${at}: has a summary`)
      const parameters = (operation.parameters ?? []).map((parameter) => resolve(document, parameter))
      const declared = parameters.filter((parameter) => parameter.in === 'path').map((parameter) => parameter.name)
      t.strictSame(
        declared.sort(),
        [...path.matchAll(/\{(\w+)\}/g)].map(([, key]) => key).sort(),
        `${at}: declares its path parameters`,
      )
      for (const parameter of parameters) {
        const content = (parameter.content as { 'application/json': { schema: Json } } | undefined)?.[
          'application/json'
        ]
        t.strictSame(
          emptySchemas(((parameter.schema as Json) ?? content?.schema) as Json, `${at} ${parameter.name}`),
          [],
        )
      }
      for (const [status, response] of Object.entries(operation.responses)) {
        const { description, content } = resolve(document, response) as {
          description: string
          content?: Record<string, { schema: Json }>
        }
        t.ok(description, `${at} ${status}: has a description`)
        if (!content) t.match(status, /^(200|202|204|302|303)$/, `${at} ${status}: an error has a body`)
        for (const { schema } of Object.values(content ?? {})) {
          t.strictSame(
            emptySchemas(resolve(document, schema), `${at} ${status}`),
            [],
            `${at} ${status}: says what comes back`,
          )
        }
      }
    }
  })

  t.test(`every reference in the ${name} leads somewhere`, async (t) => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference!)
    for (const reference of new Set(references)) t.ok(resolve(document, { $ref: reference }), reference)
  })
}

t.test('an operation tells what its command says', async (t) => {
  const { paths, components, tags } = documents.fixtures as unknown as {
    paths: Record<string, Record<string, Operation>>
    components: Record<string, Json>
    tags: { name: string }[]
  }
  const create = paths['/v1/notes']!.post!
  t.match(create, { operationId: 'notes.create', tags: ['Notes'], security: [{ bearer: ['mcp:write'] }] })
  t.ok(create.responses['201'])
  t.ok(create.parameters!.some((parameter) => parameter.$ref === '#/components/parameters/IdempotencyKey'))
  const statuses = Object.keys(create.responses)
  t.strictSame(statuses, ['201', '400', '401', '403', '409', '413', '415', '422', '429', '500', '503'])
  t.match(JSON.stringify(create.requestBody), /"Third"/, 'the example is there')
  t.match(paths['/v1/notes/{id}']!.get!.parameters![0], { name: 'id', in: 'path', required: true, example: noteId })
  t.match(paths['/v1/notes/{id}/events']!.get!.responses['200'], { content: { 'text/event-stream': {} } })
  t.match(paths['/v1/notes/{id}/files/{name}']!.get!.responses, { 302: { headers: { Location: {} } }, 200: {} })
  t.match(paths['/v1/all-notes']!.get!.responses['200'], {
    content: { 'application/json': { schema: { type: 'array' } } },
  })
  const fixed = paths['/v1/notes/search-exact']!.post!.requestBody as {
    content: Record<string, { schema: { properties: Json } }>
  }
  t.strictSame(
    Object.keys(fixed.content['application/json']!.schema.properties),
    ['query'],
    'what a route fixes is no input',
  )
  t.ok(components.schemas!['OldTreesGetAnswer.Tree'], 'a shape that holds itself is a component')
  t.ok(tags.some((tag) => tag.name === 'Old Trees'))
})

t.test('the served document has exactly the routes that are no aliases', async (t) => {
  const { app } = await fixtureApp()
  t.teardown(() => app.close())
  const get = (url: string) => app.inject({ url, headers: { host: 'localhost:4000' } })
  const served = (await get('/openapi.json')).json()
  t.match(served.servers, [{ url: 'http://localhost:4000' }])
  t.strictSame((await get('/v1/openapi.json')).json(), served)
  const described = operationsOf(served).map(
    ({ path, method }) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
  )
  const routed = app.knownRoutes
    .filter(({ alias, command }) => command && !alias)
    .map(({ method, path }) => `${method} ${path}`)
  const plain = readFileSync(new URL('../routes-without-command.txt', import.meta.url), 'utf8')
    .trim()
    .split('\n')
  t.strictSame([...routed, ...plain].sort(), described.sort())
})
