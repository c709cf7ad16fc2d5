import { availableParallelism } from 'node:os'
import type { Config } from '../config.ts'
import { fail } from '../core/errors.ts'
import { type OutlineJob, outlineQueue } from '../core/pages/index.ts'
import { type RunJob, runQueue } from '../core/runs/index.ts'
import type { OpenServices } from '../server/services.ts'
import { watchAbandoned } from './abandoned.ts'
import {
  type BrowserFacts,
  browserPool,
  browsersIn,
  configuredBrowser,
  describeBrowser,
  describeMissingBrowser,
  type FoundBrowser,
  startBrowser,
  type WarmBrowser,
} from './browser/index.ts'
import { executeRun } from './execute.ts'
import { outlinePage } from './outline/outline.ts'

/** Runs of one org at once, over all workers: the rest of the slots stay for the others. */
const perOrgLimit = 10

export interface RunningWorker {
  slots: number
  browser(): Promise<BrowserFacts>
  /** Takes no more runs, lets those under way end for up to 7 s, and gives the rest back. */
  stop(): Promise<void>
}

/** Runs that are to be seen: only a worker that was started for them, in the terminal that asked, takes them. */
export const windowQueue = 'runs-window'

const noWindow =
  'No Chromium with a window was found: the headless ones that Molar brings have none. Install Chromium or Chrome, or point MOLAR_CHROMIUM_PATH at it.'

export interface WorkerOptions {
  /** Shows its browser, one run at a time, and takes runs of `windowQueue` alone. */
  window?: boolean
  /** Where its browser comes from, if not from this machine's Chromium as the configuration has it. */
  openBrowser?: (() => Promise<WarmBrowser>) | undefined
}

/** Executes queued runs in a warm browser until it is stopped. Without a browser, runs end errored and say what mends it. */
export async function startWorker(
  services: OpenServices,
  config: Config,
  { window = false, openBrowser }: WorkerOptions = {},
): Promise<RunningWorker> {
  const { log } = services
  const { runOrigins, evidence, ffmpeg } = config
  const slots = window ? 1 : (config.workers ?? Math.max(1, availableParallelism()))
  let found: Promise<FoundBrowser | undefined> | undefined
  const find = async () => {
    found ??= configuredBrowser(config, log, window)
    const browser = await found
    if (!browser) found = undefined // it may be installed by the next time
    return browser
  }
  const pool = browserPool({
    slots,
    log,
    idleMs: 60_000,
    start:
      openBrowser ??
      (async () =>
        startBrowser({
          found: (await find()) ?? fail('browser_unavailable', window ? noWindow : describeMissingBrowser()),
          cacheDirectory: browsersIn(config),
          log,
          sandbox: config.sandbox,
          ...(window && { window: { display: config.display } }),
        })),
  })
  const worker = await services.jobs.work<RunJob>(
    window ? windowQueue : runQueue,
    { slots, perOrgLimit, heartbeatSeconds: 10 },
    (job, { signal }) => executeRun({ services, pool, runOrigins, evidence, ffmpeg }, job.data, signal),
  )
  const outlines = window
    ? undefined
    : await services.jobs.work<OutlineJob>(
        outlineQueue,
        { slots, perOrgLimit: 4, heartbeatSeconds: 10 },
        (job, { signal }) => outlinePage({ services, pool }, job.data, signal),
      )
  const unwatch = watchAbandoned(services, config.ingestTimeoutSeconds, log)
  return {
    slots,
    browser: async () => describeBrowser(await find(), config.sandbox, pool.state()),
    async stop() {
      unwatch()
      // A server has 10 s to end, of which its last answers and its browser take their part.
      await Promise.all([worker, outlines].map((one) => one?.stop({ waitMs: 7000 })))
      await pool.close()
    },
  }
}
