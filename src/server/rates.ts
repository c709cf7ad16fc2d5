import type { RateLimiter } from '../core/context.ts'
import { fail } from '../core/errors.ts'

/** Calls a minute and org, by class; 0 is no limit. */
export interface RateLimits {
  read: number
  write: number
}

interface Allowance {
  /** When the next call would be on time, in milliseconds (GCRA: one number holds the whole state). */
  due: number
}

const minute = 60_000
/** Allowances that have been full for a while are forgotten, so that memory does not grow with the number of orgs. */
const sweepEvery = 10_000

/** A limiter of this process: an org may spend a minute's allowance at once, and gets it back evenly. By the clock of the process: setting the machine's shuts no org out. */
export function rateLimiter(limits: RateLimits, now: () => number = () => performance.now()): RateLimiter {
  const allowances = new Map<string, Allowance>()
  let calls = 0
  return {
    take(principal, effect) {
      const limit = limits[effect]
      if (limit === 0) return
      const time = now()
      if (++calls % sweepEvery === 0) for (const [key, { due }] of allowances) if (due < time) allowances.delete(key)
      const key = `${principal.org.id} ${effect}`
      const spacing = minute / limit
      const due = Math.max(allowances.get(key)?.due ?? 0, time) + spacing
      const early = due - time - minute
      if (early > 0.5) {
        fail(
          'rate_limited',
          `Too many ${effect === 'read' ? 'reads' : 'writes'}: this org may make ${limit} a minute. Ask again in ${Math.ceil(early / 1000)} s.`,
          {
            details: {
              resource: `${effect}s_per_minute`,
              limit,
              used: limit,
              retry_after_seconds: Math.ceil(early / 1000),
            },
          },
        )
      }
      allowances.set(key, { due })
    },
  }
}
