import { z } from 'zod'
import { artifactKinds, blobLink, findArtifacts, linkSeconds } from '../blobs/index.ts'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { id, time } from '../fields.ts'
import { exampleRunId } from './example.ts'
import { noRun } from './get.ts'
import { findRun } from './store.ts'

export const runArtifact = defineCommand({
  name: 'runs.artifact',
  tool: 'molar_get_artifact',
  toolset: { default: false },
  title: 'Get an artifact',
  summary: 'A URL, good for an hour, of one of a run’s artifacts. Of several (screenshots) the last, or the one named.',
  input: z.object({
    id,
    kind: z.enum(artifactKinds),
    name: z.string().max(200).optional().describe('One of `names`'),
  }),
  output: z.object({
    kind: z.enum(artifactKinds),
    name: z.string(),
    media_type: z.string(),
    size: z.int(),
    sha256: z.string(),
    url: z.string(),
    expires_at: time,
    names: z.array(z.string()).describe('All artifacts of this kind'),
  }),
  rest: 'GET /v1/runs/{id}/artifacts/{kind}',
  access: { scope: 'mcp:read' },
  effect: 'read',
  errors: ['not_found'],
  examples: [
    {
      title: 'the report',
      input: { id: exampleRunId, kind: 'report' },
      output: { kind: 'report', name: 'report.md', names: ['report.md'] },
    },
    { title: 'a kind that the run does not have', input: { id: exampleRunId, kind: 'video' }, error: 'not_found' },
    {
      title: 'a run that is not there',
      input: { id: '019301c0-cafe-7000-bea7-00000000dead', kind: 'trace' },
      error: 'not_found',
    },
    {
      title: 'a kind that does not exist',
      input: { id: '019301c0-cafe-7000-bea7-00000000dead', kind: 'smell' as 'trace' },
      error: 'validation_failed',
    },
  ],
  async handler({ id, kind, name }, context) {
    const run = (await findRun(context.db, id)) ?? noRun(id)
    const all = await findArtifacts(context.db, run.trace_id)
    const ofKind = all.filter((artifact) => artifact.kind === kind)
    const chosen = name === undefined ? ofKind.at(-1) : ofKind.find((artifact) => artifact.name === name)
    if (!chosen) {
      const there = [...new Set(all.map((artifact) => artifact.kind))].join(', ') || 'none yet'
      fail(
        'not_found',
        `Run ${id} (${run.status}) has no ${kind}${name === undefined ? '' : ` named ${name}`}. It has: ${there}.`,
      )
    }
    const url = await blobLink(context, {
      orgId: context.principal.org.id,
      sha256: chosen.sha256,
      name: chosen.name,
      mediaType: chosen.media_type,
    })
    return {
      ...chosen,
      kind,
      url,
      expires_at: new Date(Date.now() + linkSeconds * 1000),
      names: ofKind.map((artifact) => artifact.name),
    }
  },
})
