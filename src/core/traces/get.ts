import { z } from 'zod'
import { type Artifact, artifactKinds, blobLink, findArtifacts } from '../blobs/index.ts'
import { defineCommand } from '../command.ts'
import type { HandlerContext } from '../context.ts'
import { fail } from '../errors.ts'
import { id } from '../fields.ts'
import { exampleRunId, exampleTraceId } from '../runs/index.ts'
import { findTrace } from './store.ts'
import { trace } from './trace.ts'

/** An id, or the nine characters of a short id. */
export const traceRef = z.union([id, z.string().regex(/^[0-9A-Za-z]{9}$/)], {
  error: 'must be a trace’s UUID or its short id',
})

export const getTrace = defineCommand({
  name: 'traces.get',
  tool: 'get_trace',
  title: 'Get a trace',
  summary:
    'One trace: its artifacts and signed URLs that are good for an hour. molar_trace_events reads what happened.',
  input: z.object({ id: traceRef }),
  output: trace.extend({
    s3_prefix: z.string().describe('Where its files belong together'),
    signed_urls: z.object({
      ndjson: z.string().optional(),
      video: z.string().optional(),
      playwright: z.string().optional(),
      rrweb: z.string().optional(),
      summary: z.string().optional(),
      report: z.string().optional(),
    }),
    artifacts: z.array(
      z.object({
        kind: z.enum(artifactKinds),
        name: z.string(),
        sha256: z.string(),
        media_type: z.string(),
        size: z.int(),
        step_id: z.string().nullable(),
      }),
    ),
    parent_trace_id: id.nullable(),
    replay_from_step: z.int().nullable(),
    total_size_bytes: z.int(),
    blob_count: z.int(),
  }),
  rest: 'GET /v1/traces/{id}',
  access: { scope: 'mcp:trace:read' },
  effect: 'read',
  errors: ['not_found'],
  resource: {
    uri: 'molar://traces/{id}',
    name: 'Trace',
    complete: { id: { list: 'traces.list', field: 'id' } },
  },
  examples: [
    {
      title: 'the trace of a run that failed',
      input: { id: exampleTraceId },
      output: { run_id: exampleRunId, status: 'failed', artifacts: [{ kind: 'report' }] },
    },
    { title: 'by its short id', input: { id: 'exampleTr' }, output: { id: exampleTraceId } },
    { title: 'a trace that is not there', input: { id: '019301c0-cafe-7000-bea7-00000000dead' }, error: 'not_found' },
    { title: 'an id that is none', input: { id: '42' }, error: 'bad_request' },
  ],
  async handler({ id }, context) {
    const found = (await findTrace(context.db, id)) ?? noTrace(id)
    const artifacts = await findArtifacts(context.db, found.id)
    const day = new Date(found.created_at as string | Date).toISOString().slice(0, 10).replaceAll('-', '/')
    return {
      ...found,
      s3_prefix: `traces/runs/${context.principal.org.id}/${day}/${found.id}/`,
      signed_urls: await signAll(artifacts, context),
      artifacts,
      parent_trace_id: null,
      replay_from_step: null,
    }
  },
})

const signed = {
  ndjson: 'ndjson',
  video: 'video',
  playwright: 'trace',
  rrweb: 'rrweb',
  summary: 'summary',
  report: 'report',
} as const

async function signAll(
  artifacts: readonly Artifact[],
  context: HandlerContext,
): Promise<Partial<Record<keyof typeof signed, string>>> {
  const urls: Partial<Record<keyof typeof signed, string>> = {}
  for (const [name, kind] of Object.entries(signed) as [keyof typeof signed, string][]) {
    const artifact = artifacts.findLast((one) => one.kind === kind)
    if (!artifact) continue
    const { sha256, name: file, media_type: mediaType } = artifact
    urls[name] = await blobLink(context, { orgId: context.principal.org.id, sha256, name: file, mediaType })
  }
  return urls
}

export const noTrace = (id: string): never =>
  fail('not_found', `There is no trace ${id}. list_traces shows those that exist.`)
