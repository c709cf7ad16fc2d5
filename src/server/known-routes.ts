import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { fail } from '../core/errors.ts'

/** A route of the app as `GET /v1/runs/:id`, and the command behind it; none behind a plain one. */
export interface KnownRoute {
  method: string
  path: string
  command: string | undefined
  alias: boolean
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Every route so far, without the HEAD that comes with each GET. */
    knownRoutes: readonly KnownRoute[]
  }
}

/** Keeps the list of routes, and answers 405 with Allow where a path exists and the method does not, else 404. */
export function registerNotFound(app: FastifyInstance): void {
  const routes: KnownRoute[] = []
  const patterns: Pattern[] = []
  app.decorate('knownRoutes', routes)
  app.addHook('onRoute', ({ method, url, config }) => {
    for (const name of [method].flat()) {
      patterns.push({ method: name, pattern: patternOf(url) })
      const route = { method: name, path: url, command: config?.command, alias: config?.alias ?? false }
      if (name !== 'HEAD') routes.push(route)
    }
  })
  app.setNotFoundHandler((request, reply) => answerUnknown(request, reply, patterns))
}

interface Pattern {
  method: string
  pattern: RegExp
}

function answerUnknown(request: FastifyRequest, reply: FastifyReply, patterns: readonly Pattern[]): FastifyReply {
  const path = request.url.split('?', 1)[0] ?? ''
  const shown = path.slice(0, 200)
  const methods = new Set(patterns.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))
  if (methods.size === 0) fail('not_found', `There is nothing at ${shown}. GET /openapi.json lists every route.`)
  const allow = [...methods].sort().concat('OPTIONS').join(', ')
  reply.header('allow', allow)
  if (request.method === 'OPTIONS') return reply.code(204).send()
  fail('method_not_allowed', `${shown} takes ${allow}, not ${request.method}.`)
}

/** Fastify's `:name`, `::` and trailing `*` as a regular expression. */
function patternOf(url: string): RegExp {
  const parts = url.split(/(::|:\w+|\*)/).map((part) => {
    if (part === '::') return ':'
    if (part === '*') return '.*'
    return part.startsWith(':') ? '[^/]+' : part.replaceAll(/[\^$.+?()[\]{}|\\]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('')}$`)
}
