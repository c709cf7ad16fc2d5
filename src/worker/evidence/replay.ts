import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { BrowserContext, Page } from 'playwright-core'
import { within } from './deadline.ts'

const largest = 32 * 2 ** 20

/** An rrweb recording of a context's pages, top frames alone. */
export interface Replay {
  /** Fetches what a page has not sent yet; done after each step. */
  flush(page: Page): Promise<void>
  /** Every event so far, unscrubbed, in order of arrival; `cut` where a page had more to say than is kept. */
  events(): { events: unknown[]; cut: boolean }
}

/** Starts rrweb in every page that the context opens from now on. */
export async function recordReplay(context: BrowserContext): Promise<Replay> {
  const batches: string[] = []
  let size = 0
  let cut = false
  await context.exposeBinding('__molarReplay', (_source, batch: unknown) => {
    if (typeof batch !== 'string') return
    size += batch.length
    if (size <= largest) batches.push(batch)
    else cut = true
  })
  await context.addInitScript(await script())
  return {
    async flush(page) {
      await within(500, page.evaluate('window.__molarReplayFlush?.()'))
    },
    // A page can call the binding as well: what is no list of events is none.
    events: () => ({ events: batches.flatMap(parse), cut }),
  }
}

function parse(batch: string): unknown[] {
  try {
    const events: unknown = JSON.parse(batch)
    return Array.isArray(events) ? events.filter((event) => typeof event?.type === 'number') : []
  } catch {
    return []
  }
}

let loaded: Promise<string> | undefined

/** rrweb and its start as one init script: timers are taken before a scenario's clock replaces them. */
const script = (): Promise<string> =>
  (loaded ??= readFile(
    createRequire(import.meta.url)
      .resolve('rrweb')
      .replace(/rrweb\.\w+$/, 'rrweb.umd.min.cjs'),
    'utf8',
  ).then(
    (rrweb) =>
      `if (window === window.top) { const exports = {}; const module = { exports }; (function (exports, module, define) {${rrweb}
})(exports, module, undefined); (${startReplay.toString()})(module.exports.record ?? module.exports.rrweb?.record ?? exports.record) }`,
  ))

type Record = (options: object) => unknown

/** Runs in the page. Short flows lose everything unless it is sent on full snapshots and every 50 ms. */
function startReplay(record: Record): void {
  const host = window as unknown as {
    __molarReplay: (batch: string) => Promise<void>
    __molarReplayFlush: () => unknown
  }
  const send = host.__molarReplay
  let waiting: unknown[] = []
  const flush = (): unknown => {
    if (waiting.length === 0) return undefined
    const batch = JSON.stringify(waiting)
    waiting = []
    return send(batch)
  }
  host.__molarReplayFlush = flush
  const isSecret = (field: HTMLElement | null): boolean =>
    field?.getAttribute('type')?.toLowerCase() === 'password' ||
    (field?.style.getPropertyValue('-webkit-text-security') ?? '') !== ''
  record({
    emit(event: { type: number }) {
      waiting.push(event)
      if (event.type === 2) flush()
    },
    maskAllInputs: true,
    maskInputOptions: { password: true },
    // Whatever a secret was typed into is drawn as dots by then; typed letter by letter, its beginnings are no known secret.
    maskInputFn: (text: string, field: HTMLElement | null) => (isSecret(field) ? '•'.repeat(text.length) : text),
  })
  setInterval(flush, 50)
  addEventListener('pagehide', flush)
}
