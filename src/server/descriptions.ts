import type { FastifyInstance } from 'fastify'
import type { Command } from '../core/command.ts'
import { openApiDocument } from '../rest/openapi.ts'
import { capabilities } from './capabilities.ts'

export interface Described {
  commands: readonly Command[]
  version: string
  publicUrl: string | null
  /** Whether there is an OAuth server. */
  oauth: boolean
}

/** Stands for the server's address in a document that is written once. */
const anywhere = 'https://molar.invalid'

/** /openapi.json and the capability manifest, with the URL under which this request reached the server. */
export function registerDescriptions(app: FastifyInstance, { commands, version, publicUrl, oauth }: Described): void {
  const options = { url: anywhere, version }
  const openApi = () => openApiDocument(commands, options)
  serve(app, ['/openapi.json', '/v1/openapi.json'], publicUrl, openApi)
  serve(app, ['/.well-known/molar-capabilities.json'], publicUrl, () => capabilities(commands, { ...options, oauth }))
}

/** Written at the first request for it: most processes are never asked. */
function serve(app: FastifyInstance, paths: string[], publicUrl: string | null, make: () => object): void {
  let text: string | undefined
  for (const path of paths) {
    app.get(path, async (request, reply) => {
      text ??= JSON.stringify(make())
      const url = publicUrl ?? `${request.protocol}://${request.host}`
      return reply
        .type('application/json; charset=utf-8')
        .send(text.replaceAll(anywhere, () => JSON.stringify(url).slice(1, -1)))
    })
  }
}
