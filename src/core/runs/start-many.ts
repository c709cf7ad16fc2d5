import { z } from 'zod'
import { defineCommand } from '../command.ts'
import type { HandlerContext } from '../context.ts'
import { fail } from '../errors.ts'
import { files, scenarioRef } from '../fields.ts'
import {
  compiler,
  findTexts,
  noScenario,
  type ScenarioText,
  type SourceFile,
  saveCompiled,
  storeAssets,
} from '../scenarios/index.ts'
import { orderInput } from './order.ts'
import { followRuns, progressEvent, progressLine } from './progress.ts'
import { queueRuns } from './queue.ts'
import { findRuns } from './store.ts'
import { makeVerdict, renderVerdict, verdict } from './verdict.ts'

const maxRuns = 100

export const startManyRuns = defineCommand({
  name: 'runs.startMany',
  tool: 'molar_run_scenarios',
  title: 'Run scenarios',
  summary:
    'Run scenarios in a real browser and get one verdict, with a diagnosis of what failed. Give slugs of stored scenarios, tags, or inline Markdown (files: [{content}]), which is stored and run.',
  input: z.object({
    scenarios: z.array(scenarioRef).max(maxRuns).default([]).describe('Slugs or ids'),
    tags: z.array(z.string().max(64)).max(20).default([]).describe('Every scenario with one of these tags'),
    files: files(maxRuns).default([]).describe('Scenarios as text'),
    ...orderInput,
    wait: z.int().min(0).max(50).default(50).describe('Seconds to wait for the verdict; 0 answers at once'),
  }),
  output: verdict,
  rest: { route: 'POST /v1/runs/batch', status: 201 },
  access: { scope: 'mcp:run' },
  effect: 'write',
  openWorld: true,
  errors: ['not_found', 'scenario_invalid', 'validation_failed', 'insufficient_scope'],
  positionals: ['scenarios'],
  target: (_input, output) => output?.runs.map((run) => run.id).join(' '),
  events: progressEvent,
  line: progressLine,
  render: renderVerdict,
  examples: [
    {
      title: 'a scenario whose application is not there',
      input: { scenarios: ['example-home'], base_url: 'http://127.0.0.1:9', wait: 50 },
      output: {
        verdict: 'failed',
        passed: 0,
        failed: 1,
        running: 0,
        runs: [{ slug: 'example-home', status: 'errored' }],
      },
    },
    { title: 'a scenario that is not there', input: { scenarios: ['no-such-scenario'] }, error: 'not_found' },
    { title: 'nothing to run', input: {}, error: 'validation_failed' },
  ],
  prepare: ({ files }, { blobs, principal }) =>
    storeAssets(
      blobs,
      principal.org.id,
      files.flatMap((one) => one.assets ?? []),
    ),
  async handler({ scenarios, tags, files, wait: _wait, ...order }, context) {
    if (scenarios.length + tags.length + files.length === 0)
      fail('validation_failed', 'Give scenarios (slugs), tags or files (inline Markdown).')
    const texts = [...(await saveInline(files, context)), ...(await findAll(scenarios, tags, context))]
    if (texts.length > maxRuns)
      fail('validation_failed', `${texts.length} scenarios are too many for one call; the most is ${maxRuns}.`)
    const ids: string[] = []
    for (const text of texts) ids.push(...(await queueRuns({ ...order, text }, context)))
    return makeVerdict(await findRuns(context.db, ids))
  },
  async follow({ runs }, { wait }, context, emit) {
    await followRuns(runs, wait, context, emit)
    return makeVerdict(
      await findRuns(
        context.db,
        runs.map((run) => run.id),
      ),
    )
  },
})

async function saveInline(files: readonly SourceFile[], { db, principal }: HandlerContext): Promise<ScenarioText[]> {
  if (files.length === 0) return []
  const { compileOrFail } = await compiler()
  const compiled = compileOrFail(files)
  const saved = await saveCompiled(db, principal.org.id, compiled)
  return saved.map(({ id, slug, version }, place) => ({ id, slug, version, content: compiled[place]!.canonical }))
}

async function findAll(
  refs: readonly string[],
  tags: readonly string[],
  { db }: HandlerContext,
): Promise<ScenarioText[]> {
  if (refs.length + tags.length === 0) return []
  const found = await findTexts(db, refs, tags)
  for (const ref of refs) if (!found.some(({ id, slug }) => id === ref || slug === ref)) noScenario(ref)
  if (found.length === 0)
    fail('not_found', `No scenario has the tag ${tags.join(' or ')}. molar_list_scenarios shows tags.`)
  return found
}
