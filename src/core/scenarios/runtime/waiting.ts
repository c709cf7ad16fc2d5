/** The end of a step's time: `endsAt` on the monotonic clock, `ms` as it was given. */
export interface Deadline {
  endsAt: number
  ms: number
}

export function deadlineIn(ms: number): Deadline {
  return { endsAt: performance.now() + ms, ms }
}

/** Milliseconds left, and never less than a last look takes: Playwright reads 0 as "for ever" and cannot do anything in 1. */
export function timeLeft(deadline: Deadline): number {
  return Math.max(250, Math.ceil(deadline.endsAt - performance.now()))
}

export function isOver(deadline: Deadline): boolean {
  return performance.now() >= deadline.endsAt
}

/** Keeps no process alive: who was cancelled in a wait of minutes has nobody left to wait for it. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}

const pageBackOff = [50, 100, 250]
const localBackOff = [10, 10, 20, 20, 50]

/**
 * Asks until it gets an answer other than undefined, or until the deadline; then undefined.
 * It asks at least once, and once more when the time is up. `local` is for questions that cost no round trip.
 */
export async function pollUntil<T>(
  deadline: Deadline,
  ask: () => T | undefined | Promise<T | undefined>,
  pace: 'page' | 'local' = 'page',
): Promise<T | undefined> {
  const backOff = pace === 'page' ? pageBackOff : localBackOff
  for (let round = 0; ; round += 1) {
    const lastRound = isOver(deadline)
    const answer = await ask()
    if (answer !== undefined || lastRound) return answer
    const rest = Math.max(1, deadline.endsAt - performance.now())
    await pause(Math.min(backOff[Math.min(round, backOff.length - 1)]!, rest))
  }
}

/** "30 s", "250 ms". */
export function inWords(ms: number): string {
  return ms >= 1000 ? `${Math.round(ms / 100) / 10} s` : `${Math.round(ms)} ms`
}

/** The work's result, or what `late` makes of it when it hangs for longer than `ms`. What it does after that is dropped. */
export async function boundedBy<T>(work: Promise<T>, ms: number, late: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const alarm = new Promise<T>((resolve, reject) => {
    timer = setTimeout(() => {
      try {
        resolve(late())
      } catch (error) {
        reject(error)
      }
    }, ms).unref()
  })
  work.catch(() => {})
  try {
    return await Promise.race([work, alarm])
  } finally {
    clearTimeout(timer)
  }
}
