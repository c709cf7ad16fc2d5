import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { httpUrl, text, writtenFiles } from '../fields.ts'
import { compiler } from './compiler.ts'

const exampleSpec = `import { expect, test } from '@playwright/test'

test('greets its visitor', async ({ page }) => {
  await page.goto('/')
  await expect(page.getByRole('heading', { name: 'Welcome' })).toBeVisible()
  await page.route('**/*.png', (route) => route.abort())
})
`

export const importScenarios = defineCommand({
  name: 'scenarios.import',
  tool: 'molar_import_playwright_spec',
  toolset: { default: false },
  title: 'Import a Playwright spec',
  summary:
    'Scenarios from an existing Playwright spec, one a test, and by line what could not be carried over. Nothing of the spec is executed and nothing is stored.',
  input: z.object({
    source: text(400 * 1024).describe('The spec’s text'),
    base_url: httpUrl.optional().describe('Where the application runs; the spec’s baseURL when left out'),
  }),
  output: z.object({
    scenarios: z.array(z.object({ slug: z.string(), title: z.string(), steps: z.int(), line: z.int() })),
    left_out: z.array(z.object({ line: z.int(), code: z.string(), reason: z.string(), carried: z.boolean() })),
    files: writtenFiles,
  }),
  rest: 'POST /v1/scenarios/import',
  access: { scope: 'mcp:read' },
  effect: 'read',
  errors: ['validation_failed'],
  positionals: ['source'],
  examples: [
    {
      title: 'a spec with a call that has no step',
      input: { source: exampleSpec },
      output: {
        scenarios: [{ slug: 'greets-its-visitor', steps: 2, line: 3 }],
        left_out: [{ line: 6, reason: 'uses page.route, which has no step here' }],
        files: [{ file: '.molar/scenarios/greets-its-visitor.molar.md' }],
      },
    },
    { title: 'no TypeScript', input: { source: 'test(' }, error: 'validation_failed' },
    { title: 'a file without tests', input: { source: 'export const a = 1\n' }, error: 'validation_failed' },
  ],
  async handler({ source, base_url }) {
    const { importSpec } = await import('./import/spec.ts') // its parser is of no use to anyone else
    const { scenarios, leftOut } = importSpec(source, { baseUrl: base_url })
    if (scenarios.length === 0) {
      const why = leftOut.map(({ line, reason }) => `line ${line} ${reason}`).slice(0, 5)
      fail(
        'validation_failed',
        `source: no test of it could be carried over${why.length > 0 ? `: ${why.join('; ')}` : ''}.`,
        {
          details: { left_out: leftOut },
        },
      )
    }
    const { compileScenario } = await compiler()
    for (const { slug, content } of scenarios) {
      const result = compileScenario(content)
      if (!result.ok) throw new Error(`The imported scenario ${slug} does not compile: ${result.problems[0]?.message}`)
    }
    return {
      scenarios: scenarios.map(({ content: _content, ...facts }) => facts),
      left_out: leftOut,
      files: scenarios.map(({ slug, content }) => ({ file: `.molar/scenarios/${slug}.molar.md`, content })),
    }
  },
})
