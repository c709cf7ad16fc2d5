import { isFields } from './passwords.ts'

/** One picture of the film that a Playwright trace holds. `at` is milliseconds since 1970. */
export interface Frame {
  at: number
  page: string
  image: Buffer
}

/** The film's frames in order of time: `image` answers the bytes stored under a name, or undefined. */
export function framesOf(events: readonly unknown[], image: (name: string) => Buffer | undefined): Frame[] {
  let base: number | undefined
  const frames: Frame[] = []
  for (const event of events) {
    if (!isFields(event)) continue
    if (event.type === 'context-options') base = number(event.wallTime) - number(event.monotonicTime)
    if (event.type !== 'screencast-frame' || base === undefined) continue
    const bytes = image(String(event.file ?? `resources/${event.sha1}`))
    // The moment when the browser showed it, where it says so; else the one when Playwright got it, some 40 ms later.
    const at = number(event.frameSwapWallTime) || base + number(event.timestamp)
    if (bytes && bytes.length > 0) frames.push({ at, page: String(event.pageId), image: bytes })
  }
  return frames.sort((a, b) => a.at - b.at)
}

/** What was to be seen at that moment: the last frame at or before it. Undefined where the film begins later. */
export function frameAt(frames: readonly Frame[], at: number): Frame | undefined {
  return frames.findLast((frame) => frame.at <= at)
}

const number = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0)
