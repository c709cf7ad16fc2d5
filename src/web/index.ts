import type { FastifyPluginAsync } from 'fastify'
import { assetRoutes } from './assets.ts'
import { pageScope, type WebOptions } from './scope.ts'

/** The pages for people, in a scope of their own. */
export function webPages(options: WebOptions): FastifyPluginAsync {
  return async (app) => {
    pageScope(app, options)
    assetRoutes(app)
  }
}
