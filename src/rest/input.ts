import { isDeepStrictEqual } from 'node:util'
import type { FastifyRequest } from 'fastify'
import type { Command, Route } from '../core/command.ts'
import { fail } from '../core/errors.ts'
import { readText, type Text } from '../core/read-text.ts'
import { inputSchema } from '../core/schema.ts'

type Fields = Record<string, unknown>

/**
 * A command's input as the request gives it: path, query (typed by the schema), body, and what the route fixes. A field
 * given in two places must say the same in both. `resume` (Last-Event-ID) replaces `after`: a browser that connects
 * again sends the old address with it.
 */
export function rawInput(command: Command, route: Route, request: FastifyRequest, resume?: string): unknown {
  const body = request.body ?? undefined
  if (body !== undefined && (typeof body !== 'object' || Array.isArray(body))) return body
  const schema = inputSchema(command)
  let input: Fields = (body as Fields | undefined) ?? {}
  const query = queryOf(request)
  if (!isEmpty(query)) input = merge(input, readText(schema, query))
  if (!isEmpty(request.params)) input = merge(input, readText(schema, request.params as Record<string, Text>))
  if (!isEmpty(route.fixed)) input = merge(input, route.fixed)
  if (resume === undefined || !Object.hasOwn(schema.properties ?? {}, 'after')) return input
  return { ...input, ...readText(schema, { after: resume }) }
}

/** A link's token says who calls, and is none of the command's input. */
function queryOf({ query, routeOptions }: FastifyRequest): Record<string, Text> {
  if (!routeOptions.config.signed) return query as Record<string, Text>
  const { token: _token, ...rest } = query as Record<string, Text>
  return rest
}

function merge(input: Fields, more: Fields): Fields {
  for (const key of Object.keys(more)) {
    if (Object.hasOwn(input, key) && !isDeepStrictEqual(input[key], more[key])) {
      fail(
        'bad_request',
        `${key}: is given twice, with different values. Give it once: in the path, the query or the body.`,
      )
    }
  }
  return { ...input, ...more }
}

function isEmpty(fields: unknown): boolean {
  for (const _key in fields as Fields) return false
  return true
}
