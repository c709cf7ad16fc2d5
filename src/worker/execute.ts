import { buffer } from 'node:stream/consumers'
import type { BrowserContextOptions } from 'playwright-core'
import { CommandError } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import { type Failure, leaseStore, type RunJob } from '../core/runs/index.ts'
import { findAsset, type PlanSettings } from '../core/scenarios/index.ts'
import type { OpenServices } from '../server/services.ts'
import { artifactShelf } from './artifacts.ts'
import { type AttemptResult, runAttempt } from './attempt.ts'
import { type BrowserPool, holdToOrigins, isAllowed, type Lease } from './browser/index.ts'
import { devices } from './browser/playwright.ts'
import { makeRedactor } from './evidence/index.ts'
import { finishRun } from './finish.ts'
import { keepEvidence, type WantedEvidence } from './keep.ts'
import { type LoadedRun, loadRun } from './load.ts'
import { LeaseLost, makeRecorder, type Recorder } from './recorder.ts'

export interface Executor {
  services: OpenServices
  pool: BrowserPool
  /** What every run may reach beside its base URL's origin. */
  runOrigins: readonly string[]
  /** Costly evidence that every run leaves: rrweb, video. */
  evidence: readonly string[]
  /** ffmpeg's path, where there is one. */
  ffmpeg: string | undefined
}

/** How often a run asks at most whether it was cancelled. */
const askEveryMs = 300

/** A run whose workers died this often is given up: it is what kills them. */
const mostLostWorkers = 4

/** Carries out one queued run, from its claim to its verdict. Resolves when the run has ended or another worker has it. */
export async function executeRun(executor: Executor, job: RunJob, stopping: AbortSignal): Promise<void> {
  const { services } = executor
  const db = services.db.tenant(job.org_id)
  const lease = newId()
  const claimed = await db.tx((tx) => leaseStore.claimRun(tx, job.run_id, lease))
  if (!claimed) return
  const run = { id: claimed.id, orgId: claimed.org_id, lease }
  const abort = new AbortController()
  // Told to stop while no worker had it: the one before was lost.
  if (claimed.cancelled) abort.abort(new CommandError('cancelled', 'Cancelled while it ran.'))
  const unwatch = watchRun(executor, run, abort)
  const recorder = makeRecorder({
    db,
    run,
    lastSeq: claimed.last_seq,
    attempt: claimed.attempt,
    log: services.log,
    onLost: () => abort.abort(new LeaseLost()),
  })
  const shelf = artifactShelf(services.blobs, claimed.org_id, services.log)
  const ending = { db, run, claimed, recorder, shelf, log: services.log }
  const after: Promise<void>[] = []
  const later = (work: Promise<void>) => void after.push(work)
  try {
    recorder.emit({ kind: 'run.start', attempt: claimed.attempt, slug: claimed.slug, base_url: claimed.base_url })
    const refusal =
      claimed.attempt > claimed.retries_left + mostLostWorkers
        ? 'Every worker that took this run was lost while it ran.'
        : undefined
    if (refusal) return await finishRun({ ...ending, result: stillborn('worker', refusal) })
    const loaded = await loadRun(claimed, { db, keyring: services.keyring, localSecrets: services.localSecrets }).catch(
      (error: Error) => error,
    )
    if (loaded instanceof Error) return await finishRun({ ...ending, result: stillborn('unresolved', loaded.message) })
    const signal = AbortSignal.any([abort.signal, stopping])
    const { result, flaky } = await runAttempts(executor, loaded, { ...ending, signal, run, later })
    await finishRun({ ...ending, result, flaky, plan: loaded.plan })
  } catch (error) {
    if (error instanceof LeaseLost) return
    if (error instanceof CommandError && error.code === 'cancelled') {
      return await finishRun({ ...ending, status: 'aborted', result: stillborn('cancelled', error.message) })
    }
    throw error // the queue gives the run to another worker
  } finally {
    unwatch()
    for (const end of await Promise.allSettled(after))
      if (end.status === 'rejected')
        services.log.warn({ err: end.reason, run_id: run.id }, 'a run left something behind')
  }
}

interface Attempts {
  recorder: Recorder
  shelf: ReturnType<typeof artifactShelf>
  signal: AbortSignal
  run: { id: string; orgId: string; lease: string }
  /** What may go on while the run ends, but not after. */
  later(work: Promise<void>): void
}

/** Tries until one passes or no retry is left. */
async function runAttempts(
  executor: Executor,
  loaded: LoadedRun,
  context: Attempts,
): Promise<{ result: AttemptResult; flaky: boolean }> {
  const { services } = executor
  const db = services.db.tenant(context.run.orgId)
  for (let first = true; ; first = false) {
    const result = await tryOnce(executor, loaded, context)
    if (result.status === 'passed') return { result, flaky: !first }
    const attempt = await db.tx((tx) => leaseStore.beginRetry(tx, context.run))
    if (attempt === undefined) return { result, flaky: false }
    context.recorder.beginAttempt(attempt)
    context.recorder.emit({ kind: 'run.start', attempt, message: `Tried again after: ${result.failure?.message}` })
  }
}

async function tryOnce(executor: Executor, loaded: LoadedRun, context: Attempts): Promise<AttemptResult> {
  const { pool } = executor
  const { plan, claimed } = loaded
  if (plan.clones.length > 0) {
    return stillborn(
      'environment',
      `This run needs clones (${plan.clones.map((clone) => clone.kind).join(', ')}), which are not available here.`,
      'clones_unavailable',
    )
  }
  const { recorder, shelf, signal } = context
  const allowed = [new URL(claimed.base_url).origin, ...executor.runOrigins]
  const onRefused = (url: string, why = `runs are held to ${allowed.join(', ')}`) =>
    void recorder.emit({ kind: 'log', level: 'warn', about: 'origin', message: `Refused a request to ${url}: ${why}` })
  const { egress } = executor.services
  const hold = await holdToOrigins({ allowed, onRefused, ...(egress.guarded && { connect: egress.connect }) })
  let lease: Lease | undefined
  try {
    const wanted = wantedEvidence(executor, loaded)
    lease = await pool.acquire({ ...contextOptions(plan.settings), ...hold.context }, signal)
    const redactor = makeRedactor(loaded.secrets)
    for (const password of loaded.passwords) redactor.learnPassword(password)
    const gone = AbortSignal.any([signal, lease.crashed])
    const result = await runAttempt({
      run: loaded,
      lease,
      recorder,
      redactor,
      signal: gone,
      files: uploads(executor, claimed),
      allowRequest: async (url) => {
        if (!isAllowed(url, allowed))
          throw new Error(`Runs are held to ${allowed.join(', ')}; ${new URL(url).origin} is not one of them.`)
        await egress.check(url)
      },
      keep: shelf.put,
      replay: wanted.rrweb,
      film: wanted.video,
    })
    await Promise.all([keepEvidence(result, { shelf, recorder, redactor, wanted }), result.pictures])
    return result
  } catch (error) {
    if (error instanceof CommandError && error.code === 'browser_unavailable')
      return stillborn('browser', error.message, 'browser_unavailable')
    throw error
  } finally {
    // A context takes as long to close as a verdict to be written: the second does not wait for the first.
    context.later(
      (async () => {
        await lease?.release()
        await hold.close()
      })(),
    )
  }
}

/** What this worker records beside the usual, and what the run asks for by its variable env.MOLAR_EVIDENCE. */
function wantedEvidence({ evidence, ffmpeg }: Executor, { env }: LoadedRun): WantedEvidence {
  const names = [...evidence, ...(env.MOLAR_EVIDENCE ?? '').split(',').map((name) => name.trim())]
  return { rrweb: names.includes('rrweb'), video: names.includes('video'), ffmpeg }
}

function contextOptions(settings: PlanSettings): BrowserContextOptions {
  const { width, height, mobile } = settings.viewport
  const phone = mobile
    ? { userAgent: devices['Pixel 7']!.userAgent, isMobile: true, hasTouch: true, deviceScaleFactor: 2 }
    : {}
  return {
    ...phone,
    viewport: { width, height },
    acceptDownloads: true,
    serviceWorkers: 'allow',
    ...(settings.locale !== undefined && { locale: settings.locale }),
    ...(settings.timezone !== undefined && { timezoneId: settings.timezone }),
    ...(settings.color_scheme !== undefined && { colorScheme: settings.color_scheme }),
  }
}

/** A result for a run that never got to its first step. */
function stillborn(kind: Failure['kind'], message: string, code?: string): AttemptResult {
  return {
    status: 'errored',
    failure: { kind, message, step: null, ...(code !== undefined && { code }) },
    steps: [],
    events: [],
  }
}

/** Hears of a cancel and of another worker that took over. */
function watchRun(
  { services }: Executor,
  run: { id: string; orgId: string; lease: string },
  abort: AbortController,
): () => void {
  let timer: NodeJS.Timeout | undefined
  let asked = Number.NEGATIVE_INFINITY
  const ask = async () => {
    timer = undefined
    asked = performance.now()
    if (abort.signal.aborted) return
    const news = await leaseStore.findCancelled(services.db.tenant(run.orgId), run.id, run.lease).catch(() => undefined)
    if (news === 'cancelled') abort.abort(new CommandError('cancelled', 'Cancelled while it ran.'))
    if (news === 'lost') abort.abort(new LeaseLost())
  }
  // The run's own events ring as well, five times a second.
  const unwatch = services.live.watch(run.id, () => {
    timer ??= setTimeout(() => void ask(), Math.max(0, asked + askEveryMs - performance.now()))
  })
  return () => {
    clearTimeout(timer)
    unwatch()
  }
}

/** Files that the scenario's steps upload: those stored with it and no others. */
function uploads({ services }: Executor, run: leaseStore.ClaimedRun) {
  return async (name: string) => {
    const asset = await findAsset(services.db.tenant(run.org_id), run.scenario_id, name)
    const bytes = asset && (await services.blobs.get(run.org_id, asset.sha256))
    if (!bytes)
      throw new Error(
        `it was not uploaded with the scenario ${run.slug}. Put it beside the scenario, or give it in assets.`,
      )
    return { name, mimeType: asset.media_type, buffer: await buffer(bytes) }
  }
}
