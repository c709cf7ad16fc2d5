import { totalmem } from 'node:os'
import type { BrowserContext, BrowserContextOptions } from 'playwright-core'
import { CommandError, fail } from '../../core/errors.ts'
import type { WarmBrowser } from './launch.ts'
import type { Log } from './log.ts'
import { slotsOf } from './slots.ts'

export interface PoolOptions {
  /** How many contexts may be open at once; more callers wait. */
  slots: number
  start: () => Promise<WarmBrowser>
  log: Log
  /** A browser is replaced after this many contexts. Default 200. */
  maxContexts?: number
  /** … or when its processes keep more than this many bytes for themselves. Default 1.5 GiB. */
  maxMemoryBytes?: number
  /** A page's process that keeps more than this many bytes is ended. Default 2 GiB, or half of a smaller machine. */
  maxPageBytes?: number
  /** Closes a browser that nobody used for this long; it starts again when needed. Kept for ever when absent. */
  idleMs?: number
}

/** A context of one's own. `browser` tells what it runs in; `crashed` is aborted when that browser goes away before `release`, or a page of it that took too much memory. */
export interface Lease {
  context: BrowserContext
  browser: WarmBrowser
  crashed: AbortSignal
  release(): Promise<void>
}

export interface BrowserPool {
  /** Waits for a slot, starts or restarts the browser where needed, and opens a context. Rejects `cancelled` when `signal` aborts. */
  acquire(context?: BrowserContextOptions, signal?: AbortSignal): Promise<Lease>
  /** Starts the browser ahead of its first use. */
  warm(): Promise<WarmBrowser>
  state(): PoolState
  close(): Promise<void>
}

export interface PoolState {
  running: boolean
  version?: string
  sandboxed?: boolean
  open_contexts: number
  waiting: number
  slots: number
  starts: number
}

/** One browser and its count of contexts: those now open, and those ever opened. */
interface Generation {
  browser: WarmBrowser
  open: number
  opened: number
  retiring: boolean
}

/** Keeps one warm browser for up to `slots` contexts at a time; replaces it after a crash, after long use, or when it has grown. */
export function browserPool(options: PoolOptions): BrowserPool {
  const { log, maxContexts = 200, maxMemoryBytes = 1.5 * 2 ** 30, maxPageBytes = defaultMaxPageBytes() } = options
  const slots = slotsOf(options.slots)
  let current: Promise<Generation> | undefined
  let starts = 0
  let shown: Generation | undefined
  let idle: NodeJS.Timeout | undefined
  let closed = false
  /** When pages were last ended for their size. */
  let culled = Number.NEGATIVE_INFINITY

  async function start(): Promise<Generation> {
    starts++
    const browser = await options.start()
    const generation: Generation = { browser, open: 0, opened: 0, retiring: false }
    const watch = setInterval(() => cull(generation), 1000).unref()
    browser.onDisconnected(() => {
      clearInterval(watch)
      if (generation === shown && !generation.retiring)
        log.warn({ contexts: generation.opened }, 'the browser went away')
      forget(generation)
      // What it left behind is its folder.
      void browser.close()
    })
    shown = generation
    return generation
  }

  /** One page that eats memory must not cost the others theirs, and the machine its life. */
  function cull({ browser, open }: Generation): void {
    if (open === 0) return
    const pages = browser.endLargePages(maxPageBytes)
    if (pages === 0) return
    culled = performance.now()
    log.warn({ pages, most: maxPageBytes }, 'a page took too much memory; its process was ended')
  }

  function forget(generation: Generation): void {
    if (shown !== generation) return
    shown = undefined
    current = undefined
  }

  async function usable(): Promise<Generation> {
    if (closed) fail('unavailable', 'This worker is shutting down.')
    clearTimeout(idle)
    current ??= start().catch((cause) => {
      current = undefined
      throw cause
    })
    const generation = await current
    if (generation.browser.isConnected() && !generation.retiring) return generation
    forget(generation)
    void generation.browser.close()
    return usable()
  }

  /** Takes a browser out of use; it closes when its last context does. */
  async function retire(generation: Generation, why: string): Promise<void> {
    if (!generation.retiring) log.info({ why, contexts: generation.opened }, 'the browser is replaced')
    generation.retiring = true
    forget(generation)
    if (generation.open === 0) await generation.browser.close()
  }

  async function open(
    context: BrowserContextOptions | undefined,
    attempt = 1,
  ): Promise<{ generation: Generation; context: BrowserContext }> {
    const generation = await usable()
    generation.open++
    generation.opened++
    try {
      return { generation, context: await generation.browser.newContext(context) }
    } catch (cause) {
      generation.open--
      // A browser that died between two runs is found out here: the next one deserves the chance.
      if (generation.browser.isConnected() || attempt > 2) throw cause
      return open(context, attempt + 1)
    }
  }

  async function settle(generation: Generation): Promise<void> {
    generation.open--
    if (closed || generation.retiring) {
      if (generation.open === 0) await generation.browser.close()
      return
    }
    if (generation.opened >= maxContexts) return retire(generation, 'it has served long')
    // To ask costs milliseconds, more on a machine of many processes: not after every run.
    const asks = generation.open === 0 && generation.opened % 10 === 0
    if (asks && (generation.browser.memory() ?? 0) > maxMemoryBytes) return retire(generation, 'it has grown')
    if (generation.open === 0 && options.idleMs !== undefined && shown === generation) {
      idle = setTimeout(() => generation.open === 0 && void retire(generation, 'it was idle'), options.idleMs).unref()
    }
  }

  return {
    async acquire(contextOptions, signal) {
      const free = await slots.take(signal)
      try {
        const { generation, context } = await open(contextOptions)
        const crashed = new AbortController()
        let released: Promise<void> | undefined
        const tooLarge = `A page of this run took more than ${Math.round(maxPageBytes / 2 ** 20)} MiB of memory and was ended.`
        context.on('page', (page) =>
          page.on('crash', () => {
            if (performance.now() - culled < 5000) crashed.abort(new CommandError('browser_unavailable', tooLarge))
          }),
        )
        generation.browser.onDisconnected(() => {
          if (!released) crashed.abort(new CommandError('browser_unavailable', 'The browser crashed.'))
        })
        const release = async () => {
          await context.close().catch(() => undefined)
          await settle(generation).finally(free)
        }
        return {
          context,
          browser: generation.browser,
          crashed: crashed.signal,
          release: () => (released ??= release()),
        }
      } catch (cause) {
        free()
        throw cause
      }
    },
    warm: async () => (await usable()).browser,
    state: () => ({
      running: shown?.browser.isConnected() ?? false,
      ...(shown ? { version: shown.browser.version, sandboxed: shown.browser.sandboxed } : {}),
      open_contexts: slots.taken(),
      waiting: slots.waiting(),
      slots: options.slots,
      starts,
    }),
    async close() {
      closed = true
      clearTimeout(idle)
      const generation = await current?.catch(() => undefined)
      if (generation) await retire(generation, 'the worker ends')
      await generation?.browser.close()
    },
  }
}

function defaultMaxPageBytes(): number {
  const limit = process.constrainedMemory()
  return Math.min(2 * 2 ** 30, Math.min(totalmem(), limit > 0 ? limit : Number.POSITIVE_INFINITY) / 2)
}
