import type { RateClass, RateLimiter, RateState } from '../core/context.ts'
import type { Lease } from './rate-store.ts'

/** Calls a minute by class; 0 is no limit. */
export type RateLimits = Record<RateClass, number>

export interface RateOptions {
  limits: RateLimits
  /** Takes up to `count` calls of an allowance from the database, which is the same for all instances. */
  lease(request: { key: string; orgId: string | null; count: number; spacing: number }): Promise<Lease>
  /** Milliseconds, never going back. */
  now?: () => number
}

/** What this instance holds of one allowance. */
interface Share {
  /** Calls that were leased and not made yet, good until then. */
  left: number
  until: number
  /** What the database said last, and when: seconds that the allowance is ahead of its time. */
  ahead: number
  told: number
  /** Nothing is to be had before. */
  emptyUntil: number
  leasing: Promise<void> | undefined
}

const minute = 60
/** What is leased at once, of a minute's allowance: instances that hold this much unused keep the sum within 5 %. */
const part = 0.02
/** A lease that is not used soon is worth nothing: else it would be spent on top of the next minute. */
const leaseMs = 10_000
/** Shares that were not asked for since are forgotten, so that memory does not grow with the number of callers. */
const sweepEvery = 10_000

/**
 * Limits that hold across instances: whoever is asked spends a minute's allowance at once, and gets it back evenly
 * (GCRA). The state is a row in the database, from which each instance leases a little ahead, so that most calls need no
 * statement.
 */
export function rateLimiter({ limits, lease, now = () => performance.now() }: RateOptions): RateLimiter {
  const shares = new Map<string, Share>()
  let calls = 0

  function shareOf(key: string): Share {
    if (++calls % sweepEvery === 0)
      for (const [name, { until, emptyUntil }] of shares) if (Math.max(until, emptyUntil) < now()) shares.delete(name)
    const known = shares.get(key)
    if (known) return known
    const made: Share = { left: 0, until: 0, ahead: 0, told: 0, emptyUntil: 0, leasing: undefined }
    shares.set(key, made)
    return made
  }

  async function more(share: Share, key: string, orgId: string | null, limit: number): Promise<void> {
    const spacing = minute / limit
    const count = Math.max(1, Math.floor(limit * part))
    const { granted, ahead } = await lease({ key, orgId, count, spacing })
    Object.assign(share, { left: granted, until: now() + leaseMs, ahead, told: now() })
    if (granted === 0) share.emptyUntil = now() + Math.max(1, (ahead + spacing - minute) * 1000)
  }

  return {
    async take(kind, who) {
      const limit = limits[kind]
      if (limit === 0) return undefined
      const key = `${kind} ${who.key}`
      const share = shareOf(key)
      while (now() >= share.emptyUntil && !(share.left > 0 && now() < share.until)) {
        share.leasing ??= more(share, key, who.orgId ?? null, limit).finally(() => {
          share.leasing = undefined
        })
        await share.leasing
      }
      const empty = now() < share.emptyUntil
      if (!empty) share.left--
      return stateOf(kind, limit, share, empty, now())
    },
  }
}

function stateOf(kind: RateClass, limit: number, share: Share, empty: boolean, now: number): RateState {
  const ahead = Math.max(0, share.ahead - (now - share.told) / 1000)
  const remaining = empty
    ? 0
    : Math.min(limit, Math.max(0, Math.floor(((minute - ahead) / minute) * limit) + share.left))
  return {
    kind,
    limit,
    remaining,
    resetSeconds: Math.ceil(ahead),
    ...(empty && { retryAfterSeconds: Math.max(1, Math.ceil((share.emptyUntil - now) / 1000)) }),
  }
}
