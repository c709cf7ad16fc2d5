import { pipeline, Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import type { Services } from '../core/context.ts'
import { fail } from '../core/errors.ts'
import { exportArchive, exportOrg } from '../core/orgs/index.ts'
import { hasPower } from '../core/principal.ts'
import { appendAudit } from '../core/stages/audit.ts'
import { holdToLink, useUpLink } from '../core/stages/link.ts'
import { answerError } from '../rest/errors.ts'

/** GET /exports/:org?token=…: the archive behind the link that orgs.export gave, once. */
export function exportRoutes(services: () => Promise<Services>): FastifyPluginAsync {
  return async (app) => {
    app.setErrorHandler(answerError)
    app.route({
      method: 'GET',
      url: '/exports/:org',
      exposeHeadRoute: false,
      handler: async (request: FastifyRequest, reply) => {
        const { token } = request.query as { token?: string }
        const { org } = request.params as { org: string }
        const { authenticate, db, blobs, log } = await services()
        const principal = await authenticate({ kind: 'signed', token: token ?? '' }, {})
        holdToLink(principal, exportOrg, { org })
        if (!hasPower(principal.role, 'own')) fail('forbidden', 'Only an owner exports an org.')
        const own = db.tenant(principal.org.id)
        const context = { door: 'rest', remoteAddress: request.ip, requestId: request.id } as const
        // All that the org has leaves with it, so it is on record as a change is.
        await own.tx(async (tx) => {
          await useUpLink(tx, principal)
          await appendAudit(tx, { command: exportOrg, principal, context, target: principal.org.id, result: 'ok' })
        })
        const packed = createGzip()
        pipeline(Readable.from(exportArchive(own, blobs, principal.org.id)), packed, (error) => {
          // The reader sees a cut connection: an archive that ended early must not look whole.
          if (error) log.warn({ err: error, org: principal.org.id }, 'an export ended early')
        })
        return reply
          .type('application/gzip')
          .header('content-disposition', `attachment; filename="molar-${principal.org.slug}.tar.gz"`)
          .send(packed)
      },
    })
  }
}
