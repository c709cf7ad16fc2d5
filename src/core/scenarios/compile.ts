import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { files, scenarioRef, writtenFiles } from '../fields.ts'
import { compiler } from './compiler.ts'
import { exampleScenario } from './example.ts'
import { noScenario } from './get.ts'
import { findScenario } from './store.ts'

export const compileScenarios = defineCommand({
  name: 'scenarios.compile',
  tool: 'molar_compile_scenarios',
  toolset: { default: false },
  title: 'Compile scenarios',
  summary:
    'Playwright specs that stand on their own, of a stored scenario (id) or of files. The same content gives the same bytes.',
  input: z.object({
    files: files(200).optional(),
    id: scenarioRef.optional().describe('Slug or id of a stored scenario'),
    plan: z.boolean().default(false).describe('The step plan too'),
  }),
  output: z.object({
    scenarios: z.array(
      z.object({
        id: z.string(),
        slug: z.string(),
        hash: z.string(),
        compiler: z.string(),
        plan: z.looseObject({}).optional(),
      }),
    ),
    files: writtenFiles,
  }),
  rest: ['POST /v1/scenarios/compile', 'POST /v1/scenarios/{id}/compile'],
  access: { scope: 'mcp:read' },
  effect: 'read',
  errors: ['scenario_invalid', 'not_found'],
  positionals: ['files'],
  examples: [
    {
      title: 'a file',
      input: { files: [{ file: 'home.molar.md', content: exampleScenario }] },
      output: { files: [{ file: 'home.spec.ts' }] },
    },
    { title: 'a stored scenario', input: { id: 'example-home' }, output: { scenarios: [{ slug: 'example-home' }] } },
    { title: 'neither', input: {}, error: 'validation_failed' },
  ],
  async handler({ files, id, plan: withPlan }, { db }) {
    if ((files === undefined) === (id === undefined))
      fail('validation_failed', 'Give either files or the id of a stored scenario.')
    const sources = files ?? [await stored(id!)]
    const { compileOrFail, emitSpec } = await compiler()
    const compiled = compileOrFail(sources)
    return {
      scenarios: compiled.map(({ plan, hash }) => {
        const { id, slug } = plan.scenario
        return { id, slug, hash, compiler: plan.compiler, ...(withPlan && { plan: { ...plan } }) }
      }),
      files: compiled.map(({ file, plan }) => ({
        file: specFile(file ?? plan.scenario.slug),
        content: emitSpec(plan),
      })),
    }

    async function stored(ref: string) {
      const scenario = (await findScenario(db, ref)) ?? noScenario(ref)
      return { file: `${scenario.slug}.molar.md`, content: scenario.content }
    }
  },
})

const specFile = (file: string) => `${file.replace(/(\.molar)?\.md$/, '')}.spec.ts`
