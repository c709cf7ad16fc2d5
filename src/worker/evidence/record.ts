import type { BrowserContext, Locator, Page, Request } from 'playwright-core'
import { unseen } from '../../core/scenarios/runtime/unseen.ts'
import { boundedEmitter } from './bounded.ts'
import { within } from './deadline.ts'
import { type DownloadedFile, recordDownloads } from './downloads.ts'
import type { EvidenceEvent } from './event.ts'
import { type Frame, filmPages } from './film.ts'
import { recordNetwork } from './network.ts'
import { htmlOf, outliner } from './outline.ts'
import { recordPages } from './pages.ts'
import { masksFor, takePicture } from './picture.ts'
import type { Redactor } from './redact.ts'
import { recordReplay } from './replay.ts'
import { startTrace, stopTrace, type TraceFiles } from './trace-files.ts'

export interface EvidenceOptions {
  /** Gets every event, redacted and bounded, in order. */
  emit: (event: EvidenceEvent) => void
  redact: Redactor
  /** CSS of more things that pictures must not show. */
  masks?: readonly string[]
  /** False: `picture` gives nothing. */
  pictures: boolean
  /** Whether Playwright's trace is recorded. */
  trace: boolean
  /** Whether the film is whole, for a video; else it has what `frame` asks for. Default false. */
  film?: boolean
  /** Whether rrweb runs in the pages; costs two fifths of a run's time. Default false. */
  replay?: boolean
  /** As which uid the browser writes its files; undefined where there are none. */
  browserUid?: number | undefined
  /** Events let through; the rest is counted. Default 5,000. */
  maxEvents?: number
}

export interface Evidence {
  /** Says which step the following events belong to; `title` names its group in the trace. Null between steps. Await it, or do first what the trace does not tell of: a call sent earlier lands in the group before. */
  currentStep(stepId: string | null, title?: string): Promise<void>
  /** A JPEG of what the page shows, secrets covered; undefined when none could be had. */
  picture(page: Page): Promise<Buffer | undefined>
  /** What the page shows from `since` on, milliseconds since 1970, small and at little cost: a frame of the film, there at the latest when recording stops. */
  frame(page: Page, since: number): Promise<Frame | undefined>
  /** The page's accessible outline, redacted and bounded; undefined when it does not answer within so many milliseconds. */
  outline(page: Page, patienceMs: number): Promise<string | undefined>
  /** An outline that was taken elsewhere, redacted and bounded as well. */
  cleanOutline(aria: string): string
  /** The page's DOM as HTML, redacted. */
  html(page: Page): Promise<Buffer | undefined>
  /** To be awaited before text is typed into `field`: covers it where `secret` (the default), and keeps a `value` that goes into a password field out of all that follows. */
  maskFilled(field: Locator, typed?: { value?: string; secret?: boolean }): Promise<void>
  /** The name that events give this page: p1, p2, … */
  pageName(page: Page): string | undefined
  /** Ends recording; call before the context closes. Nothing of what it answers is scrubbed yet. */
  stop(): Promise<Recorded>
}

/** What was recorded, as it came: secrets and all. */
export interface Recorded {
  trace?: TraceFiles
  /** The film, oldest first, once its last frame is there; of its pages the trace tells by the same ids. */
  frames: Promise<Frame[]>
  downloads: DownloadedFile[]
  replay?: { events: unknown[]; cut: boolean }
  /** Events that were too many. */
  dropped: number
}

/** Starts to record a context: its events through `emit` and, where asked, Playwright's trace. Call before the first page opens. */
export async function recordEvidence(context: BrowserContext, options: EvidenceOptions): Promise<Evidence> {
  const out = boundedEmitter(options.emit, options.maxEvents ?? 5000)
  const masks = masksFor(options.masks ?? [])
  const pages = recordPages(context, out, options.redact)
  const network = recordNetwork(context, out, options.redact, (request) => pages.nameOf(pageOf(request)))
  const downloads = recordDownloads(context, options.browserUid)
  const outlines = outliner(options.redact)
  const film = filmPages(context, { whole: options.film ?? false })
  const [replay] = await Promise.all([
    options.replay ? recordReplay(context) : undefined,
    options.trace ? startTrace(context) : undefined,
  ])
  let grouped = false

  async function group(title: string): Promise<void> {
    if (!options.trace) return
    const { tracing } = context
    const ended = grouped
    grouped = true // the last one ends with the trace
    const next = () => Promise.all([ended && tracing.groupEnd(), tracing.group(options.redact.text(title))])
    await unseen(context, next).catch(() => undefined)
  }

  return {
    async currentStep(stepId, title) {
      out.step = stepId
      if (stepId === null && replay) await Promise.all(context.pages().map((page) => replay.flush(page)))
      // A group ends where the next begins: ending it by itself would cost every step another round trip.
      if (stepId !== null) await group(title ?? stepId)
    },
    picture: async (page) => (options.pictures ? takePicture(page, masks) : undefined),
    frame: (page, since) => film.take(page, since),
    outline: (page, patienceMs) => outlines.of(page, patienceMs),
    cleanOutline: (aria) => outlines.clean(aria),
    html: (page) => htmlOf(page, options.redact),
    async maskFilled(field, { value, secret = true } = {}) {
      if (secret) await masks.add(field)
      else if (value && (await masks.isPassword(field))) options.redact.learn('password', value)
    },
    pageName: (page) => pages.nameOf(page),
    async stop() {
      pages.stop()
      const frames = film.stop()
      const [trace, files] = await Promise.all([
        options.trace ? within(30_000, stopTrace(context)) : undefined,
        downloads.settle(),
        network.flush(),
      ])
      if (options.trace && !trace)
        out.emit({ kind: 'log', level: 'warn', message: 'The browser gave no Playwright trace.' })
      out.stop()
      return {
        ...(trace ? { trace } : {}),
        frames,
        ...(replay ? { replay: replay.events() } : {}),
        downloads: files,
        dropped: out.dropped(),
      }
    },
  }
}

/** A service worker's request has no frame, and a navigation's not yet one. */
function pageOf(request: Request): Page | null {
  try {
    return request.frame().page()
  } catch {
    return null
  }
}
