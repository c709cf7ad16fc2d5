import type { IncomingMessage } from 'node:http'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Provider } from 'oidc-provider'
import type { OAuthOptions } from '../auth/oauth/provider.ts'
import { defaultScope, oauthPaths, requestIdHeader, resourceMetadata } from '../auth/oauth/resource.ts'
import { oauthPages, personOf, type WebOptions } from '../web/index.ts'

export interface OAuthServer {
  provider(): Promise<Provider>
  /** What a challenge of the resource server tells. */
  resource(): { metadata: string; scope: string }
  /** Its routes. The pages for people among them are src/web's. */
  plugin: FastifyPluginAsync
}

type Handle = ReturnType<Provider['callback']>

/** The authorization server, made at the first request that needs it: its address is known once the server listens. */
export function oauthServer(web: WebOptions, url: () => string): OAuthServer {
  const requests = new WeakMap<IncomingMessage, FastifyRequest>()
  let made: Promise<{ provider: Provider; handle: Handle }> | undefined
  const get = () => {
    made ??= make().then((provider) => ({ provider, handle: provider.callback() }))
    return made
  }
  const make = async () => {
    const [{ makeProvider }, { db, keyring, log, egress }] = await Promise.all([
      import('../auth/oauth/provider.ts'),
      web.services(),
    ])
    const who = async (request: IncomingMessage) => {
      const asked = requests.get(request)
      return asked && (await personOf(web, asked))?.id
    }
    // Addresses of metadata documents and key sets, which apps give.
    const fetch: OAuthOptions['fetch'] = (url, { method, headers, signal }) =>
      egress.fetchOutside(url, { method, headers, signal, redirect: 'manual', maxBytes: 64 << 10 })
    return makeProvider({ issuer: url(), db, keyring, log, fetch, pages: oauthPages, personOf: ({ req }) => who(req) })
  }
  return {
    provider: async () => (await get()).provider,
    resource: () => ({ metadata: `${url()}${oauthPaths.resource}/mcp`, scope: defaultScope }),
    plugin: async (app) => {
      for (const path of [oauthPaths.resource, `${oauthPaths.resource}/mcp`])
        app.get(path, async () => resourceMetadata(url()))
      // The provider reads bodies itself.
      app.removeAllContentTypeParsers()
      app.addContentTypeParser('*', (_request, _payload, done) => done(null))
      const pass = async (request: FastifyRequest, reply: FastifyReply) => {
        requests.set(request.raw, request)
        return passOn(await get(), request, reply)
      }
      const { authorize, token, register, revoke, introspect, device, verify, server } = oauthPaths
      for (const path of [authorize, `${authorize}/:uid`, verify, `${verify}/:uid`]) app.get(path, pass)
      for (const path of [token, register, revoke, introspect, device, verify]) app.post(path, pass)
      app.get(server, pass)
      // Clients of older revisions take the resource's path for the issuer's.
      app.get(`${server}/mcp`, async (request, reply) => {
        request.raw.url = server
        return pass(request, reply)
      })
    },
  }
}

/** Hands the request over, as one that came to the public address. Headers that were set before stay. */
async function passOn(
  { provider, handle }: { provider: Provider; handle: Handle },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { host, protocol } = new URL(provider.issuer)
  Object.assign(request.raw.headers, {
    'x-forwarded-host': host,
    'x-forwarded-proto': protocol.slice(0, -1),
    'x-forwarded-for': request.ip,
    [requestIdHeader]: request.id,
  })
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) reply.raw.setHeader(name, value)
  reply.hijack()
  await handle(request.raw, reply.raw)
  return reply
}
