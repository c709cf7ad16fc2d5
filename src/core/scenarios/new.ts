import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { httpUrl, id, slug, writtenFiles } from '../fields.ts'
import { newId } from '../ids.ts'
import { compiler } from './compiler.ts'

export const newScenario = defineCommand({
  name: 'scenarios.new',
  tool: 'molar_new_scenario',
  title: 'Begin a scenario',
  summary: 'A valid starter scenario with a fresh id, to be filled with steps. Stores nothing.',
  input: z.object({
    slug: slug.describe('Its short name, such as checkout'),
    title: z.string().trim().min(1).max(200).optional(),
    base_url: httpUrl.optional().describe('Where the application runs'),
  }),
  output: z.object({ id, slug, files: writtenFiles.describe('The scenario’s file') }),
  rest: 'POST /v1/scenarios/new',
  access: { scope: 'mcp:read' },
  effect: 'read',
  errors: [],
  positionals: ['slug'],
  examples: [
    {
      title: 'a scenario called checkout',
      input: { slug: 'checkout', base_url: 'http://localhost:3000' },
      output: { slug: 'checkout' },
    },
    { title: 'a slug with capitals', input: { slug: 'Check Out' }, error: 'validation_failed' },
  ],
  async handler({ slug, title, base_url }) {
    const id = newId()
    const { newScenario: scenarioText } = await compiler()
    const content = scenarioText({
      id,
      slug,
      ...(title !== undefined && { title }),
      ...(base_url !== undefined && { base_url }),
    })
    return { id, slug, files: [{ file: `.molar/scenarios/${slug}.molar.md`, content }] }
  },
})
