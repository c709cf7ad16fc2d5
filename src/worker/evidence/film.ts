import { setTimeout as sleep } from 'node:timers/promises'
import type { BrowserContext, Page } from 'playwright-core'
import { unseen } from '../../core/scenarios/runtime/unseen.ts'
import { within } from './deadline.ts'

/** What a page showed, as a JPEG of at most 800 pixels a side. `at` is milliseconds since 1970, `page` Playwright's id of it. */
export interface Frame {
  at: number
  page: string
  width: number
  height: number
  image: Buffer
}

export interface Film {
  /** A frame of what the page shows from `since` on, milliseconds since 1970; undefined where it shows none within a second. The page's script has no part in it, so nobody need wait for it before going on. */
  take(page: Page, since: number): Promise<Frame | undefined>
  /** Every frame, oldest first, once those asked for are there. */
  stop(): Promise<Frame[]>
}

const patienceMs = 1000
/** What a step did is drawn a frame later; the next step's doing shows no earlier than that. */
const drawnMs = 16
/** Playwright has five frames on their way at most, and none counts as arrived before that. */
const paceMs = 100
/** A film that is whole keeps no more bytes than this. */
const largestFilm = 64 * 2 ** 20

/**
 * Films a context's pages: a frame whenever one is taken or, `whole`, every one that the browser draws. To draw and pack a
 * frame costs the browser some 10 ms of processor time, and a page that moves would have sixty of them a second.
 */
export function filmPages(context: BrowserContext, { whole }: { whole: boolean }): Film {
  return whole ? filmWhole(context) : filmOnDemand()
}

function filmOnDemand(): Film {
  const frames: Frame[] = []
  const cameras = new Map<Page, ReturnType<typeof camera>>()
  return {
    take(page, since) {
      const its = cameras.get(page) ?? camera(page, (frame) => frames.push(frame))
      cameras.set(page, its)
      return its.take(since)
    },
    async stop() {
      await Promise.all([...cameras.values()].map(({ settled }) => settled()))
      return frames.sort((a, b) => a.at - b.at)
    },
  }
}

/** One frame at a time of this page, and one for all whom it is not too old for. */
function camera(page: Page, keep: (frame: Frame) => void) {
  let asked: { since: number; answer: (frame: Frame | undefined) => void }[] = []
  let running: Promise<void> | undefined
  let last: Frame | undefined

  async function run(): Promise<void> {
    while (asked.length > 0) {
      await sleep(drawnMs, undefined, { ref: false })
      const frame = page.isClosed() ? undefined : await unseen(page, () => shoot(page))
      if (frame) {
        last = frame
        keep(frame)
      }
      const met = asked.filter(({ since }) => !frame || since <= frame.at)
      asked = asked.filter((one) => !met.includes(one))
      for (const { answer } of met) answer(frame)
    }
    running = undefined
  }

  return {
    async take(since: number): Promise<Frame | undefined> {
      if (last && since <= last.at) return last
      return new Promise((answer) => {
        asked.push({ since, answer })
        running ??= run()
      })
    },
    settled: async () => running,
  }
}

async function shoot(page: Page): Promise<Frame | undefined> {
  const frame = await within(patienceMs, nextFrame(page))
  await within(patienceMs, page.screencast.stop())
  return frame
}

/** A film's first frame is drawn for it; one that was on its way from the film before is older than the question. */
function nextFrame(page: Page): Promise<Frame> {
  const from = Date.now()
  return new Promise((resolve, reject) => {
    const onFrame = (given: GivenFrame) => {
      if (given.timestamp >= from) resolve(frameOf(page, given))
    }
    page.screencast.start({ onFrame }).catch(reject)
  })
}

function filmWhole(context: BrowserContext): Film {
  const frames: Frame[] = []
  let size = 0
  const onFrame = (page: Page) => async (given: GivenFrame) => {
    size += given.data.length
    if (size <= largestFilm) frames.push(frameOf(page, given))
    await sleep(paceMs, undefined, { ref: false })
  }
  const start = (page: Page) =>
    void unseen(page, () => page.screencast.start({ onFrame: onFrame(page) })).catch(() => undefined)
  context.pages().forEach(start)
  context.on('page', start)
  let end: () => void = () => {}
  const ended = new Promise<void>((resolve) => (end = resolve))
  return {
    take(page) {
      const now = Date.now()
      // Its frame may still be on its way, so it is looked for at the end.
      return ended.then(() =>
        frameAt(
          frames.filter((frame) => frame.page === idOf(page)),
          now,
        ),
      )
    },
    async stop() {
      context.off('page', start)
      const stop = async () => Promise.allSettled(context.pages().map((page) => page.screencast.stop()))
      await within(patienceMs, unseen(context, stop))
      frames.sort((a, b) => a.at - b.at)
      end()
      return frames
    },
  }
}

interface GivenFrame {
  data: Buffer
  timestamp: number
  viewportWidth: number
  viewportHeight: number
}

const frameOf = (page: Page, { data, timestamp, viewportWidth: width, viewportHeight: height }: GivenFrame): Frame => ({
  at: timestamp,
  page: idOf(page),
  width,
  height,
  image: data,
})

/** As the events of its trace name the page. */
const idOf = (page: Page): string => (page as unknown as { _guid: string })._guid

/** What was to be seen at that moment: the last frame at or before it. Undefined where the film begins later. */
export function frameAt(frames: readonly Frame[], at: number): Frame | undefined {
  return frames.findLast((frame) => frame.at <= at)
}
