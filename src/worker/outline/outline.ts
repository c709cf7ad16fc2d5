import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import type { Egress } from '../../core/egress/index.ts'
import { CommandError } from '../../core/errors.ts'
import { endOutline, findOutline, type OutlineAnswer, type OutlineJob, outlineSecrets } from '../../core/pages/index.ts'
import { runStore } from '../../core/runs/index.ts'
import { compileScenario } from '../../core/scenarios/compiled.ts'
import type { StepPlan } from '../../core/scenarios/index.ts'
import { openSession } from '../../core/scenarios/runtime/session.ts'
import { resolveSecrets } from '../../core/secrets/index.ts'
import type { OpenServices } from '../../server/services.ts'
import { type BrowserPool, holdToOrigins, isAllowed, type Lease } from '../browser/index.ts'
import { makeRedactor, type Redactor } from '../evidence/redact.ts'
import { readNodes } from './nodes.ts'
import { renderNodes } from './render.ts'
import { nameNodes } from './targets.ts'

export interface Outliner {
  services: Pick<OpenServices, 'db' | 'keyring' | 'localSecrets' | 'egress' | 'log'>
  pool: BrowserPool
}

/** A caller waits up to 50 s; what is not done by then has gone wrong. */
const longestMs = 45_000

/** Carries out one queued outline and stores its answer, or what went wrong. */
export async function outlinePage({ services, pool }: Outliner, job: OutlineJob, stopping: AbortSignal): Promise<void> {
  const db = services.db.tenant(job.org_id)
  const row = await findOutline(db, job.outline_id)
  if (row?.status !== 'queued') return
  const sealed = row.secrets && services.keyring.open(row.secrets, outlineSecrets(row.org_id, row.id))
  const result = compileScenario(row.request.source)
  if (!result.ok) throw new Error(`The outline ${row.id} does not compile: ${result.problems[0]?.message}`)
  const given = sealed ? (JSON.parse(sealed) as Record<string, string>) : {}
  const { keyring, localSecrets } = services
  const secrets = await resolveSecrets(result.plan.secrets, { db, keyring, orgId: row.org_id, localSecrets, given })
  const redactor = makeRedactor(secrets)
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(longestMs)])
  const { answer, problem } = await lookAt(
    { pool, egress: services.egress },
    result.plan,
    row.request.viewport,
    secrets,
    signal,
  ).catch((error: unknown) => {
    if (stopping.aborted) throw error // the queue gives it to another worker
    return { answer: null, problem: reasonOf(error, signal) }
  })
  const status = problem === null ? 'done' : 'failed'
  await endOutline(db, row.id, scrubbed({ status, answer, problem }, redactor))
  await db.tx((tx) => runStore.notifyRuns(tx, [row.id]))
}

const scrubbed = <End extends { status: string }>(end: End, redactor: Redactor): End => ({
  ...redactor.json(end),
  status: end.status,
})

function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return `It took longer than ${longestMs / 1000} s.`
  if (error instanceof CommandError) return error.message
  return `The page could not be outlined: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`
}

type Look = { answer: OutlineAnswer | null; problem: string | null }

const sizes: Record<string, { width: number; height: number; mobile?: true }> = {
  desktop: { width: 1280, height: 720 },
  tablet: { width: 820, height: 1180 },
  mobile: { width: 390, height: 844, mobile: true },
}

async function lookAt(
  { pool, egress }: { pool: BrowserPool; egress: Egress },
  plan: StepPlan,
  viewport: string,
  secrets: Record<string, string>,
  signal: AbortSignal,
): Promise<Look> {
  const baseUrl = plan.settings.base_url!
  const allowed = [new URL(baseUrl).origin]
  const refused: string[] = []
  const hold = await holdToOrigins({
    allowed,
    onRefused: (url) => refused.push(url),
    ...(egress.guarded && { connect: egress.connect }),
  })
  const { mobile, ...size } = sizes[viewport] ?? sizes.desktop!
  let lease: Lease | undefined
  try {
    const touch = mobile ? { isMobile: true, hasTouch: true } : {}
    lease = await pool.acquire({ viewport: size, ...touch, acceptDownloads: false, ...hold.context }, signal)
    const gone = AbortSignal.any([signal, lease.crashed])
    const aborted = new Promise<never>((_resolve, reject) =>
      gone.addEventListener('abort', () => reject(gone.reason), { once: true }),
    )
    aborted.catch(() => {})
    const look = await Promise.race([walk(lease, plan, { baseUrl, allowed, egress, secrets }), aborted])
    const away = look.answer !== null && !isAllowed(look.answer.url, allowed)
    return away && look.problem === null
      ? {
          ...look,
          problem: `The page went to ${refused[0] ?? look.answer?.url}; this is held to ${allowed.join(', ')}.`,
        }
      : look
  } finally {
    await lease?.release()
    await hold.close()
  }
}

interface Terms {
  baseUrl: string
  allowed: string[]
  egress: Egress
  secrets: Record<string, string>
}

async function walk({ context }: Lease, plan: StepPlan, { baseUrl, allowed, egress, secrets }: Terms): Promise<Look> {
  const session = await openSession(context, plan.settings, {
    baseUrl,
    variables: plan.variables,
    env: { BASE_URL: baseUrl },
    secrets,
    run: { id: 'outline', user: { id: 'outline', email: 'outline@molar.invalid' } },
    data: {},
    stepTimeoutMs: Math.min(plan.settings.step_timeout_ms, 10_000),
    files: async () => {
      throw new Error('An outline has no files to upload.')
    },
    allowRequest: async (url) => {
      if (!isAllowed(url, allowed)) throw new Error(`This is held to ${allowed.join(', ')}.`)
      await egress.check(url)
    },
  })
  let status: number | null = null
  context.on('response', (response) => {
    if (response.request().isNavigationRequest() && response.frame() === session.page.mainFrame())
      status = response.status()
  })
  for (const step of plan.steps) {
    try {
      await session.run(step)
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error)
      // The first step is the navigation to the page itself: without it there is nothing to outline.
      if (step.number === 1) return { answer: null, problem: said }
      return {
        answer: await outlineOf(session.page, status),
        problem: `Step ${step.number - 1} (${step.text}): ${said}`,
      }
    }
  }
  return { answer: await outlineOf(session.page, status), problem: null }
}

async function outlineOf(page: Page, pageStatus: number | null): Promise<OutlineAnswer> {
  await untilStill(page)
  const placed = await readNodes(page, 5000)
  const named = await nameNodes(page, placed)
  const { outline, truncated } = renderNodes(placed, named)
  const title = await page.title()
  return {
    url: page.url(),
    title: title.slice(0, 300),
    page_status: pageStatus,
    outline,
    targets: named.length,
    truncated,
  }
}

/** Until the page looks the same twice, for at most 3 s: one that draws itself is not outlined half-drawn. */
async function untilStill(page: Page): Promise<void> {
  await page.waitForLoadState('load', { timeout: 3000 }).catch(() => {})
  const deadline = performance.now() + 3000
  for (let before = ''; performance.now() < deadline; ) {
    const now = await page.ariaSnapshot({ timeout: 2000 }).catch(() => '')
    if (now !== '' && now === before) return
    before = now
    await sleep(150)
  }
}
