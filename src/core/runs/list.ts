import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { page, pageInput, scenarioRef } from '../fields.ts'
import { run, runStatuses, runTypes } from './run.ts'
import { listRuns as selectRuns } from './store.ts'

export const listRuns = defineCommand({
  name: 'runs.list',
  tool: 'molar_list_runs',
  title: 'List runs',
  summary: 'Runs, newest first.',
  input: z.object({
    ...pageInput,
    type: z.enum(runTypes).optional(),
    status: z.enum([...runStatuses, 'error']).optional(),
    scenario: scenarioRef.optional().describe('Slug or id'),
    repo: z.string().max(200).optional().describe('owner/name'),
  }),
  output: page(run.omit({ failure: true })),
  rest: 'GET /v1/runs',
  access: { scope: 'mcp:read' },
  effect: 'read',
  errors: [],
  examples: [
    {
      title: 'runs of one scenario',
      input: { scenario: 'example-home', limit: 1, fields: ['slug'] },
      output: { items: [{ slug: 'example-home' }] },
    },
    { title: 'a status that does not exist', input: { status: 'done' as 'passed' }, error: 'validation_failed' },
  ],
  async handler({ limit, cursor, status, type, scenario, repo }, { db, pages }) {
    const filter = { type, scenario, repo, status: status === 'error' ? 'errored' : status }
    const rows = await selectRuns(db, filter, pages.after(cursor), limit + 1)
    return pages.of(rows, limit, ({ created_at, id }) => ({ created_at, id }))
  },
})
