import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { files } from '../fields.ts'
import { compiler } from './compiler.ts'
import { exampleScenario } from './example.ts'
import { warningsOf } from './language/passwords.ts'
import { formatProblem } from './language/problem.ts'
import { problem } from './scenario.ts'

export const validateScenarios = defineCommand({
  name: 'scenarios.validate',
  tool: 'molar_validate_scenarios',
  title: 'Validate scenarios',
  summary:
    'Check scenarios without storing or running them: all problems at once, each with its place, code and suggestion.',
  input: z.object({ files: files(200).min(1) }),
  output: z.object({
    valid: z.boolean(),
    scenarios: z.array(
      z.object({ file: z.string().nullable(), id: z.string(), slug: z.string(), title: z.string(), steps: z.int() }),
    ),
    problems: z.array(problem),
    warnings: z.array(problem).describe('What runs all the same'),
  }),
  rest: 'POST /v1/scenarios/validate',
  access: { scope: 'mcp:read' },
  effect: 'read',
  errors: [],
  positionals: ['files'],
  examples: [
    {
      title: 'a valid scenario',
      input: { files: [{ content: exampleScenario }] },
      output: { valid: true, problems: [], warnings: [] },
    },
    {
      title: 'a password in a step',
      input: {
        files: [{ file: 'a.molar.md', content: `${exampleScenario.trimEnd()}\n9. Fill "Password" with "hunter2"\n` }],
      },
      output: { valid: true, warnings: [{ file: 'a.molar.md', code: 'MOLAR_S013' }] },
    },
    {
      title: 'an unknown verb',
      input: { files: [{ file: 'a.molar.md', content: exampleScenario.replace('Navigate to', 'Navigat to') }] },
      output: { valid: false, problems: [{ file: 'a.molar.md', code: 'MOLAR_S001' }] },
    },
  ],
  render({ valid, scenarios, problems, warnings }) {
    const good = scenarios.map(({ file, slug, steps }) => `${file ?? slug}: valid, ${steps} steps`)
    return [
      ...problems.map((problem) => formatProblem(problem.file ?? 'scenario', problem)),
      ...warnings.map((warning) => `warning: ${formatProblem(warning.file ?? 'scenario', warning)}`),
      ...good,
      valid ? '' : 'Not valid.',
    ]
      .join('\n')
      .trim()
  },
  async handler({ files }) {
    const { compileAll } = await compiler()
    const { compiled, problems } = compileAll(files)
    const scenarios = compiled.map(({ file, plan }) => {
      const { id, slug, title } = plan.scenario
      return { file, id, slug, title, steps: plan.steps.length }
    })
    const warnings = compiled.flatMap(({ file, plan }) => warningsOf(plan).map((warning) => ({ ...warning, file })))
    return { valid: problems.length === 0, scenarios, problems, warnings }
  },
})
