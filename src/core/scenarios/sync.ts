import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { files } from '../fields.ts'
import { storeAssets } from './assets.ts'
import { compiler } from './compiler.ts'
import { exampleScenario } from './example.ts'
import { saveCompiled } from './save.ts'
import { uploaded } from './scenario.ts'
import { archiveOthers } from './store.ts'

export const syncScenarios = defineCommand({
  name: 'scenarios.sync',
  tool: 'molar_sync_scenarios',
  toolset: { default: false },
  title: 'Sync scenarios',
  summary: 'Store a whole set at once, all or none. archive_missing archives what the org has and the set has not.',
  input: z.object({
    files: files(500).min(1),
    archive_missing: z.boolean().default(false).describe('Archive scenarios that are not in the set'),
  }),
  output: z.object({
    created: z.int(),
    updated: z.int(),
    unchanged: z.int(),
    archived: z.int(),
    scenarios: z.array(uploaded),
  }),
  rest: 'POST /v1/scenarios/sync',
  access: { scope: 'mcp:write' },
  effect: 'write',
  repeatable: true,
  errors: ['scenario_invalid', 'conflict'],
  positionals: ['files'],
  target: (input) => `${input.files.length} scenarios`,
  examples: [
    { title: 'a set of one', input: { files: [{ content: exampleScenario }] }, output: { archived: 0 } },
    {
      title: 'the same scenario twice',
      input: { files: [{ content: exampleScenario }, { content: exampleScenario }] },
      error: 'scenario_invalid',
    },
  ],
  prepare: ({ files }, { blobs, principal }) =>
    storeAssets(
      blobs,
      principal.org.id,
      files.flatMap((one) => one.assets ?? []),
    ),
  async handler({ files, archive_missing }, { db, principal }) {
    const { compileOrFail } = await compiler()
    const saved = await saveCompiled(db, principal.org.id, compileOrFail(files))
    const others = archive_missing
      ? await archiveOthers(
          db,
          saved.map(({ id }) => id),
        )
      : []
    const gone = others.map(({ id, slug, version, hash }) => ({
      file: null,
      id,
      slug,
      version,
      hash,
      status: 'archived' as const,
    }))
    const scenarios = [...saved, ...gone]
    const count = (status: string) => scenarios.filter((one) => one.status === status).length
    return {
      created: count('created'),
      updated: count('updated'),
      unchanged: count('unchanged'),
      archived: gone.length,
      scenarios,
    }
  },
})
