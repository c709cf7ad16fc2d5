import type { FastifyPluginAsync } from 'fastify'
import { deprecation, pathAliases } from '../rest/aliases.ts'

const alias = pathAliases.find(({ to }) => to === '/cp/auth/')

/**
 * `/cp/auth/*`, as the pages of `/auth/*` were called once; commands answer there themselves. 308 keeps the method and
 * what was sent.
 */
export const oldAuthPaths: FastifyPluginAsync = async (app) => {
  if (!alias) return
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null)) // the page itself reads it
  for (const method of ['GET', 'POST'])
    app.route({
      method,
      url: `${alias.to}*`,
      config: { alias: true },
      handler: (request, reply) => {
        const [path = '', ...query] = request.url.split('?')
        const to = [alias.from + path.slice(alias.to.length), ...query].join('?')
        return reply.headers(deprecation(alias, path)).redirect(to, 308)
      },
    })
}
