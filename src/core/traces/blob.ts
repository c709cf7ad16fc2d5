import { z } from 'zod'
import { blobLink, findArtifacts } from '../blobs/index.ts'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { exampleReportHash, exampleTraceId } from '../runs/index.ts'
import { noTrace, traceRef } from './get.ts'
import { findTrace } from './store.ts'

export const traceBlob = defineCommand({
  name: 'traces.blob',
  tool: 'molar_trace_blob',
  toolset: { default: false },
  title: 'Fetch a blob',
  summary: 'A URL, good for an hour, of one blob of a trace.',
  input: z.object({
    id: traceRef,
    sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits, without a prefix'),
  }),
  output: z.object({ url: z.string(), media_type: z.string(), size: z.int() }),
  rest: 'GET /v1/traces/{id}/blob/{sha256}',
  access: { scope: 'mcp:trace:read' },
  effect: 'read',
  errors: ['not_found'],
  redirect: ({ url }) => url,
  examples: [
    {
      title: 'the report’s bytes',
      input: { id: exampleTraceId, sha256: exampleReportHash },
      output: { media_type: 'text/markdown' },
    },
    {
      title: 'a trace that is not there',
      input: { id: '019301c0-cafe-7000-bea7-00000000dead', sha256: '0'.repeat(64) },
      error: 'not_found',
    },
    {
      title: 'a prefixed hash',
      input: { id: '019301c0-cafe-7000-bea7-00000000dead', sha256: `sha256:${'0'.repeat(64)}` },
      error: 'bad_request',
    },
  ],
  async handler({ id, sha256 }, context) {
    const trace = (await findTrace(context.db, id)) ?? noTrace(id)
    const found = (await findArtifacts(context.db, trace.id)).find((artifact) => artifact.sha256 === sha256)
    if (!found) fail('not_found', `Trace ${id} has no blob ${sha256}. get_trace lists its artifacts.`)
    const { media_type, size, name } = found
    return {
      url: await blobLink(context, { orgId: context.principal.org.id, sha256, name, mediaType: media_type }),
      media_type,
      size,
    }
  },
})
