import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'
import { fail } from '../core/errors.ts'

// The few files that pages bring with them, from src/web/assets. Their addresses change with their content, so a browser
// keeps them for good.

const types = { 'style.css': 'text/css; charset=utf-8', 'passkeys.js': 'text/javascript; charset=utf-8' } as const
type Asset = keyof typeof types

const read = (name: string): Buffer => readFileSync(fileURLToPath(new URL(`assets/${name}`, import.meta.url)))

const assets = new Map(
  (Object.keys(types) as Asset[]).map((name) => {
    const bytes = read(name)
    const version = createHash('sha256').update(bytes).digest('hex').slice(0, 12)
    return [name as string, { bytes, type: types[name], path: `/assets/${name}?v=${version}` }]
  }),
)

/** Where a page finds the file. */
export function assetPath(name: string): string {
  return assets.get(name)?.path ?? fail('internal', `src/web/assets has no ${name}`)
}

export function assetRoutes(app: FastifyInstance): void {
  app.get<{ Params: { name: string } }>('/assets/:name', async ({ params: { name } }, reply) => {
    const found = assets.get(name) ?? fail('not_found', `There is no file ${name.slice(0, 100)}.`)
    return reply
      .headers({ 'content-type': found.type, 'cache-control': 'public, max-age=31536000, immutable' })
      .send(found.bytes)
  })
}
