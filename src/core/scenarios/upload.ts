import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { assets, text } from '../fields.ts'
import { storeAssets } from './assets.ts'
import { compiler } from './compiler.ts'
import { exampleId, exampleScenario } from './example.ts'
import { saveCompiled } from './save.ts'
import { uploaded } from './scenario.ts'

export const uploadScenario = defineCommand({
  name: 'scenarios.upload',
  tool: 'molar_upload_scenario',
  title: 'Upload a scenario',
  summary: 'Store one scenario (.molar.md). The same content again is unchanged; another makes a new version.',
  input: z.object({
    content: text(400 * 1024).describe('The whole Markdown text'),
    assets: assets.default([]).describe('Files that its steps upload'),
  }),
  output: uploaded.omit({ file: true }),
  rest: 'POST /v1/scenarios',
  access: { scope: 'mcp:write' },
  effect: 'write',
  repeatable: true,
  errors: ['scenario_invalid', 'conflict'],
  positionals: ['content'],
  target: (_input, output) => output?.id,
  examples: [
    { title: 'a scenario', input: { content: exampleScenario }, output: { id: exampleId, slug: 'example-home' } },
    { title: 'a text that is no scenario', input: { content: '# Nothing' }, error: 'scenario_invalid' },
  ],
  prepare: ({ assets }, { blobs, principal }) => storeAssets(blobs, principal.org.id, assets),
  async handler({ content, assets }, { db, principal }) {
    const { compileOrFail } = await compiler()
    const [result] = await saveCompiled(db, principal.org.id, compileOrFail([{ content, assets }]))
    return result!
  },
})
