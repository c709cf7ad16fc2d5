import type { Queries } from '../core/context.ts'
import { fail } from '../core/errors.ts'
import { networkOf } from '../core/network.ts'
import { forgetTries, takeTry } from './account-store.ts'

const minute = 60
/** RFC 5321: a longer address is none, and nothing is kept of it. */
const longestAddress = 254

export function refuseLongAddress(email: string | undefined): void {
  if (email !== undefined && email.length > longestAddress) fail('validation_failed', 'This is not an e-mail address.')
}

interface Limit {
  most: number
  seconds: number
}

/** How often, in a window of seconds, something may be tried: by one address, and for one account where there is one. */
const limits: Record<Tried, { address: Limit; account?: Limit }> = {
  sign_in: { address: { most: 100, seconds: 10 * minute }, account: { most: 10, seconds: 15 * minute } },
  mail: { address: { most: 60, seconds: 60 * minute }, account: { most: 5, seconds: 60 * minute } },
  // A connector registers one client for all who use it.
  app_registration: { address: { most: 60, seconds: 60 * minute } },
  // Each makes this server ask an address that somebody gave.
  app_document: { address: { most: 60, seconds: 10 * minute } },
  // Refusals that are written down.
  app_refusal: { address: { most: 60, seconds: 10 * minute } },
  // Each question is remembered for an hour, whoever asks.
  app_request: { address: { most: 300, seconds: 10 * minute } },
  // Eight letters, known to the device that shows them.
  device_code: { address: { most: 30, seconds: 10 * minute } },
}
type Tried = 'sign_in' | 'mail' | 'app_registration' | 'app_document' | 'app_refusal' | 'app_request' | 'device_code'

export interface Limits {
  /** Counts one try; throws rate_limited when there were too many. */
  take(what: Tried, from: string, account?: string): Promise<void>
  /** Whether a one-time code is shown for the first time. A code is good for 90 s, one step before and after its own. */
  firstUse(code: string, accountId: string): Promise<boolean>
  /** The account's owner has come in: their earlier tries no longer count. */
  forget(what: Tried, account: string): Promise<void>
}

/** Tries to come in, counted in the database: for all servers together. */
export function signInLimits(system: Queries): Limits {
  const keyOf = (what: string, account: string) => `${what} account ${account.toLowerCase()}`
  return {
    async take(what, from, account) {
      refuseLongAddress(account)
      const { address, account: own } = limits[what]
      const waits = await Promise.all([
        takeTry(system, `${what} address ${networkOf(from)}`, address.most, address.seconds),
        account && own ? takeTry(system, keyOf(what, account), own.most, own.seconds) : 0,
      ])
      const wait = Math.max(...waits)
      if (wait === 0) return
      const { most } = own ?? address
      const details = { resource: what, limit: most, used: most, retry_after_seconds: wait }
      fail('rate_limited', `Too many tries. Try again in ${Math.ceil(wait / minute)} min.`, { details })
    },
    firstUse: async (code, accountId) => (await takeTry(system, `code ${accountId} ${code}`, 1, 90)) === 0,
    forget: (what, account) => forgetTries(system, keyOf(what, account)),
  }
}
