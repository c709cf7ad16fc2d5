import { z } from 'zod'
import { defineCommand } from '../command.ts'
import type { HandlerContext } from '../context.ts'
import { fail } from '../errors.ts'
import { httpUrl, id, text, untrusted } from '../fields.ts'
import { newId } from '../ids.ts'
import { missingSecrets } from '../secrets/index.ts'
import { wayTo } from './source.ts'
import { findOutline, insertOutline, type OutlineRow } from './store.ts'

/** The queue that workers take pages to outline from. */
export const outlineQueue = 'outlines'
export interface OutlineJob {
  org_id: string
  outline_id: string
}

/** What a worker that holds sealed secrets opens them with. */
export const outlineSecrets = (orgId: string, outlineId: string) => `${orgId}|outline-secrets|${outlineId}`

const values = z.record(z.string().max(100), z.string().max(10_000)).default({})

export const outlinePage = defineCommand({
  name: 'pages.outline',
  tool: 'molar_outline_page',
  title: 'Outline a page',
  summary:
    'Open a URL in a real browser, take steps there if any, and get what is on the page as targets ready to paste into a scenario. Use it before writing a scenario for a page you have not seen.',
  input: z.object({
    url: z.string().min(1).max(2048).optional().describe('The page; or give the id of an outline that was not ready'),
    id: id.optional().describe('An earlier call’s id'),
    steps: text(20_000)
      .default('')
      .describe('Steps of the scenario language, one a line, taken on the page first, such as: Click "Open menu"'),
    base_url: httpUrl.optional().describe('Where a url that is a path begins'),
    variables: values.describe('Values for ${name} in steps'),
    secrets: values.describe('Values for ${secrets.NAME} in steps; encrypted, erased afterwards'),
    viewport: z.enum(['desktop', 'tablet', 'mobile']).default('desktop'),
    wait: z.int().min(0).max(50).default(50).describe('Seconds to wait for the answer'),
  }),
  output: z.object({
    id,
    status: z.enum(['queued', 'done', 'failed']),
    url: z.string().nullable().describe('Where it ended'),
    title: untrusted().nullable(),
    page_status: z.int().nullable(),
    outline: untrusted().describe('A target a line, indented by where it lies'),
    targets: z.int(),
    truncated: z.boolean(),
    problem: untrusted().nullable().describe('Why it failed; the outline then is of where it stopped'),
    next: z.string().nullable(),
  }),
  rest: { route: 'POST /v1/pages/outline', status: 200 },
  access: { scope: 'mcp:run' },
  effect: 'write',
  openWorld: true,
  errors: ['not_found', 'validation_failed'],
  positionals: ['url'],
  target: (input) => input.url ?? input.id,
  render: renderOutline,
  examples: [
    {
      title: 'a page that is not there',
      input: { url: 'http://127.0.0.1:9/' },
      output: { status: 'failed', outline: '', targets: 0 },
    },
    { title: 'neither a URL nor an id', input: {}, error: 'validation_failed' },
    {
      title: 'a step that is none',
      input: { url: 'http://127.0.0.1:9/', steps: 'Clik "Save"' },
      error: 'validation_failed',
    },
    {
      title: 'an outline that is not there',
      input: { id: '019301c0-cafe-7000-bea7-00000000dead' },
      error: 'not_found',
    },
  ],
  async handler(input, context) {
    if (input.id !== undefined) return answerFor((await findOutline(context.db, input.id)) ?? noOutline(input.id))
    if (input.url === undefined) fail('validation_failed', 'Give the url of a page, or the id of an earlier call.')
    const { steps, base_url, variables, viewport } = input
    const names = [...new Set([...steps.matchAll(/\$\{secrets\.([\w-]+)\}/g)].map(([, name = '']) => name))]
    const missing = await missingSecrets(names, { ...context, given: input.secrets })
    if (missing.length > 0)
      fail(
        'validation_failed',
        `secrets: ${missing.join(', ')} has no value: give it in secrets, store it with molar_set_secret, or locally as MOLAR_SECRET_….`,
      )
    const { source } = await wayTo({ url: input.url, base_url, steps, variables, secrets: names })
    const outlineId = newId()
    const orgId = context.principal.org.id
    const given = Object.keys(input.secrets).length > 0
    const secrets = given ? context.keyring.seal(JSON.stringify(input.secrets), outlineSecrets(orgId, outlineId)) : null
    await insertOutline(context.db, { id: outlineId, org_id: orgId, request: { source, viewport }, secrets })
    const job: OutlineJob = { org_id: orgId, outline_id: outlineId }
    await context.enqueue(outlineQueue, job)
    return answerFor((await findOutline(context.db, outlineId))!)
  },
  async follow(output, { wait }, context) {
    if (output.status !== 'queued') return output
    return answerFor(await untilEnded(output.id, wait * 1000, context))
  },
})

const noOutline = (id: string): never =>
  fail('not_found', `There is no outline ${id}; they are kept for an hour. Call again with the url.`)

async function untilEnded(id: string, ms: number, { db, live, signal }: HandlerContext): Promise<OutlineRow> {
  const deadline = performance.now() + ms
  let wake = () => {}
  const unwatch = live.watch(id, () => wake())
  try {
    for (;;) {
      const news = new Promise<void>((resolve) => {
        wake = resolve
      })
      const row = (await findOutline(db, id)) ?? noOutline(id)
      const left = deadline - performance.now()
      if (row.status !== 'queued' || left <= 0 || signal.aborted) return row
      const timer = setTimeout(() => wake(), Math.min(left, 1000))
      await news.finally(() => clearTimeout(timer))
    }
  } finally {
    unwatch()
  }
}

const nothing = { url: null, title: null, page_status: null, outline: '', targets: 0, truncated: false }

function answerFor({ id, status, answer, problem }: OutlineRow) {
  const next =
    status === 'queued'
      ? `Not ready yet. Call molar_outline_page with id ${id}.`
      : status === 'done'
        ? 'Write the scenario with these targets, then molar_validate_scenarios and molar_run_scenarios.'
        : null
  return { id, status, ...(answer ?? nothing), problem, next }
}

type Outline = Omit<ReturnType<typeof answerFor>, 'next'> & { next: string | null }

function renderOutline({ url, title, page_status, outline, truncated, problem, next }: Outline): string {
  return [
    ...(url === null ? [] : [`${title ? `"${title}" ` : ''}${url}${page_status === null ? '' : ` (${page_status})`}`]),
    ...(problem === null ? [] : [`Problem: ${problem}`]),
    ...(outline === ''
      ? []
      : [
          'A target a line; each matches one element unless it says otherwise. What stands in {braces} goes last in its step.',
          '```',
          outline.replaceAll('```', "'''"),
          '```',
        ]),
    ...(truncated ? ['The page is longer than this. Take steps that narrow it, or ask for another part.'] : []),
    ...(next === null ? [] : [next]),
  ].join('\n')
}
