import type { FastifyPluginAsync } from 'fastify'
import { isLinkValid, isShown } from '../core/blobs/index.ts'
import type { Services } from '../core/context.ts'
import { fail } from '../core/errors.ts'

/** GET /blobs/{org}/{sha256}: a blob by a presigned URL, which stands in for a credential. Ranges, so that players can seek. */
export function blobRoutes(services: () => Promise<Services>): FastifyPluginAsync {
  return async (app) => {
    app.get<{ Params: { org: string; sha256: string } }>('/blobs/:org/:sha256', async (request, reply) => {
      const { keyring, blobs } = await services()
      const { org, sha256 } = request.params
      const query = new URLSearchParams(request.url.split('?')[1] ?? '')
      if (
        !/^[0-9a-f-]{36}$/.test(org) ||
        !/^[0-9a-f]{64}$/.test(sha256) ||
        !isLinkValid(keyring.links, org, sha256, query)
      ) {
        fail('forbidden', 'This link is not valid or has run out. Ask for the artifact again to get a new one.')
      }
      const gone = () => fail('not_found', 'These bytes are no longer stored.')
      const size = (await blobs.size(org, sha256)) ?? gone()
      const range = readRange(request.headers.range, size)
      const type = query.get('type') ?? 'application/octet-stream'
      const name = (query.get('name') ?? sha256).replace(/[^\w.-]/g, '_')
      reply.headers({
        'content-type': type,
        'content-length': range.end - range.start + 1,
        'content-disposition': `${isShown(type) ? 'inline' : 'attachment'}; filename="${name}"`,
        'accept-ranges': 'bytes',
        etag: `"${sha256}"`,
        'cache-control': 'private, max-age=3600, immutable',
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; sandbox",
        ...(range.partial && { 'content-range': `bytes ${range.start}-${range.end}/${size}` }),
      })
      const { start, end, partial } = range
      const bytes = size === 0 ? Buffer.alloc(0) : ((await blobs.get(org, sha256, { start, end })) ?? gone())
      return reply.code(partial ? 206 : 200).send(bytes)
    })
  }
}

function readRange(header: string | undefined, size: number): { start: number; end: number; partial: boolean } {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  if (!match || (match[1] === '' && match[2] === '')) return { start: 0, end: size - 1, partial: false }
  const start = match[1] === '' ? Math.max(size - Number(match[2]), 0) : Number(match[1])
  const end = match[1] === '' || match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1)
  if (start > end) fail('range_not_satisfiable', `The blob has ${size} bytes.`)
  return { start, end, partial: true }
}
