import type { Command } from '../command.ts'
import type { CallContext, RateClass, RateLimiter, RateState } from '../context.ts'
import { fail } from '../errors.ts'
import { networkOf } from '../network.ts'
import { installation, type Principal } from '../principal.ts'
import { telling } from './access.ts'

const words: Record<RateClass, { what: string; resource: string; who: string }> = {
  read: { what: 'reads', resource: 'reads_per_minute', who: 'this org' },
  write: { what: 'writes', resource: 'writes_per_minute', who: 'this org' },
  ingest: { what: 'reports of runs', resource: 'ingests_per_minute', who: 'this org' },
  entry: { what: 'new keys and accounts', resource: 'entries_per_minute', who: 'this address' },
}

/** Takes the call from what its org may do in a minute, and where it hands out access from what its address may. */
export async function takeRate(
  rates: RateLimiter,
  command: Command,
  principal: Principal,
  { remoteAddress, onRate }: CallContext,
): Promise<void> {
  const kind = command.rate === 'ingest' ? 'ingest' : command.effect === 'read' ? 'read' : 'write'
  const state = await rates.take(kind, holder(principal, remoteAddress))
  if (state) telling(principal, () => settle(state, onRate))
  if (command.rate !== 'entry' || remoteAddress === undefined) return
  const byAddress = await rates.take('entry', { key: networkOf(remoteAddress) })
  if (byAddress) telling(principal, () => settle(byAddress, onRate))
}

/** Whose allowance it is: the org's, without one the person's, without one the address's. */
function holder({ org, user }: Principal, remoteAddress: string | undefined): { key: string; orgId?: string } {
  if (org.id !== installation.id) return { key: `org ${org.id}`, orgId: org.id }
  return {
    key: user ? `person ${user.id}` : `address ${remoteAddress === undefined ? 'here' : networkOf(remoteAddress)}`,
  }
}

function settle(state: RateState, onRate: CallContext['onRate']): void {
  onRate?.(state)
  const { kind, limit, remaining, retryAfterSeconds } = state
  if (retryAfterSeconds === undefined) return
  const { what, resource, who } = words[kind]
  fail('rate_limited', `Too many ${what}: ${who} may make ${limit} a minute. Ask again in ${retryAfterSeconds} s.`, {
    details: { resource, limit, used: limit - remaining, retry_after_seconds: retryAfterSeconds },
  })
}
