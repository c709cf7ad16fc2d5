import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { id } from '../fields.ts'
import { diagnosis } from './diagnosis.ts'
import { exampleRunId, exampleTraceId } from './example.ts'
import { followChanges } from './follow.ts'
import { run, stepResult } from './run.ts'
import { findRun } from './store.ts'

export const runDetail = run.extend({
  scenario_version: z.int(),
  variables: z.record(z.string(), z.string()),
  steps: z.array(stepResult),
  diagnosis: diagnosis.nullable(),
  links: z.object({ logs: z.string(), trace: z.string(), artifacts: z.string() }).describe('Paths below this server'),
})

export const getRun = defineCommand({
  name: 'runs.get',
  tool: 'molar_get_run',
  title: 'Get a run',
  summary: 'One run: its state, steps so far, verdict, diagnosis and links.',
  input: z.object({ id }),
  output: runDetail,
  rest: 'GET /v1/runs/{id}',
  access: { scope: 'mcp:read' },
  effect: 'read',
  errors: ['not_found'],
  resource: {
    uri: 'molar://runs/{id}',
    name: 'Run',
    complete: { id: { list: 'runs.list', field: 'id' } },
    changes: followChanges,
  },
  examples: [
    {
      title: 'a run that failed',
      input: { id: exampleRunId },
      output: {
        status: 'failed',
        slug: 'example-home',
        trace_id: exampleTraceId,
        failure: { kind: 'assertion', step: { number: 2 } },
      },
    },
    { title: 'a run that is not there', input: { id: '019301c0-cafe-7000-bea7-00000000dead' }, error: 'not_found' },
    { title: 'an id that is none', input: { id: '42' }, error: 'validation_failed' },
  ],
  async handler({ id }, { db }) {
    return withLinks((await findRun(db, id)) ?? noRun(id))
  },
})

export function withLinks(row: NonNullable<Awaited<ReturnType<typeof findRun>>>): z.input<typeof runDetail> {
  const links = {
    logs: `/v1/runs/${row.id}/logs`,
    trace: `/v1/traces/${row.trace_id}`,
    artifacts: `/v1/runs/${row.id}/artifacts/{kind}`,
  }
  return { ...row, links } as z.input<typeof runDetail>
}

export const noRun = (id: string): never =>
  fail('not_found', `There is no run ${id}. molar_list_runs shows those that exist.`)
