import type { Command } from '../core/command.ts'
import { errorTable } from '../core/errors.ts'
import { describeErrors } from './openapi-errors.ts'
import { describeOperation, type Operation, sharedHeaders, sharedParameters, tagOf } from './openapi-operation.ts'
import { plainPaths } from './openapi-plain.ts'

export interface DocumentOptions {
  /** Where the server is reached, without a trailing slash. */
  url: string
  version: string
}

export type Paths = Record<string, Record<string, Operation>>

/** Components that operations add to as they are described. */
export interface Components {
  schemas: Record<string, unknown>
  responses: Record<string, unknown>
}

/** OpenAPI 3.1 of every HTTP route: the commands' own, and the plain ones. Aliases are left out. */
export function openApiDocument(commands: readonly Command[], { url, version }: DocumentOptions) {
  const components: Components = { schemas: { Error: errorSchema }, responses: {} }
  const paths: Paths = {}
  for (const command of commands) {
    command.routes.forEach((route, index) => {
      const operation = describeOperation(command, route, index, components)
      paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation }
    })
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Molar',
      version,
      summary: 'Prove that a web application works.',
      description: 'Every route under /v1 also answers under /api/v1. Errors are {error, message, details?}.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url }],
    tags: tagsOf(commands),
    paths: { ...sorted(paths), ...plainPaths((codes) => describeErrors(codes, components)) },
    components: {
      ...components,
      parameters: sharedParameters,
      headers: sharedHeaders,
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API key (molar_sk_…), made by `molar keys create`.',
        },
      },
    },
  }
}

const errorSchema = {
  type: 'object',
  required: ['error', 'message'],
  properties: {
    error: {
      type: 'string',
      enum: Object.keys(errorTable),
      description: 'Stable code. Codes are added, never renamed.',
    },
    message: { type: 'string', description: 'What is wrong, what is allowed, and what to do next.' },
    details: {
      type: 'object',
      additionalProperties: true,
      description: 'Facts about the error, such as the fields that do not fit.',
    },
    resource: { type: 'string', description: 'With 429: what ran out.' },
    limit: { type: 'number', description: 'With 429: how much there is.' },
    used: { type: 'number', description: 'With 429: how much is used.' },
  },
}

function tagsOf(commands: readonly Command[]) {
  const nouns = [...new Set(commands.map(tagOf))].sort()
  return [
    ...nouns.map((name) => ({ name, description: `Commands of ${name}.` })),
    { name: 'Server', description: 'Health, descriptions and the MCP endpoint.' },
  ]
}

const sorted = (paths: Paths): Paths => Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1)))
