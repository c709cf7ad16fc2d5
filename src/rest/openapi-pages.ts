import type { Paths } from './openapi.ts'

/** Pages for people, and where their forms go: path, operation id, and what each method does. Everything is HTML. */
const pages: readonly (readonly [path: string, id: string, methods: { get?: string; post?: string }])[] = [
  ['/assets/{name}', 'asset', { get: 'A style sheet or script of the pages' }],
]

export function pagePaths(): Paths {
  return Object.fromEntries(
    pages.map(([path, id, methods]) => [
      path,
      Object.fromEntries(
        Object.entries(methods).map(([method, summary]) => [
          method,
          {
            operationId: `pages.${id}${method === 'post' ? '_send' : ''}`,
            summary,
            tags: ['Pages'],
            security: [],
            ...(path.includes('{') && { parameters: parametersOf(path) }),
            ...(method === 'post' && { requestBody: { content: { 'application/x-www-form-urlencoded': {} } } }),
            responses: {
              200: { description: 'A page', content: { '*/*': { schema: { type: 'string' } } } },
              303: { description: 'Go there' },
            },
          },
        ]),
      ),
    ]),
  )
}

const parametersOf = (path: string) =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
