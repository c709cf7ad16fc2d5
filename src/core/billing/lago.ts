import type { Logger } from 'pino'
import type { Queries } from '../context.ts'
import { claimUsage, giveBackUsage, markDelivered, markRefused, type UsageEvent } from './store.ts'

/** Where a Lago billing service takes events, and the key that it knows us by. */
export interface Lago {
  url: string
  key: string
}

/** Lago takes at most 100 events in one request. */
const batch = 100
const timeoutMs = 10_000
const pauseSeconds = 30

/**
 * Tells Lago what was used, until nothing waits any longer. Each event's id is its transaction id: Lago counts the first
 * with it and says so of the next, so that telling one again after a lost answer changes nothing. What Lago cannot take
 * is put aside with its reason; all else is tried again later. Answers how many were taken.
 */
export async function deliverUsage(system: Queries, lago: Lago, log: Logger): Promise<number> {
  for (let delivered = 0; ; ) {
    const events = await claimUsage(system, batch)
    if (events.length === 0) return delivered
    const ids = events.map(({ id }) => id)
    try {
      const refused = await send(lago, events)
      delivered += await settle(system, events, refused, log)
    } catch (error) {
      log.warn({ err: error, events: events.length }, 'the billing service did not take usage; it is told again later')
      await giveBackUsage(system, ids, pauseSeconds)
      return delivered
    }
  }
}

/** Errors by field of each event that Lago did not take, by its place in the batch. None of the batch counts then. */
type Refused = Record<string, Record<string, string[]>>

async function send({ url, key }: Lago, events: readonly UsageEvent[]): Promise<Refused | undefined> {
  const response = await fetch(`${url}/api/v1/events/batch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      events: events.map(({ id, org_id, meter, quantity, properties, at }) => ({
        transaction_id: id,
        external_subscription_id: org_id,
        code: meter,
        timestamp: at.getTime() / 1000,
        properties: { ...properties, quantity },
      })),
    }),
    signal: AbortSignal.timeout(timeoutMs),
    redirect: 'error',
  })
  const text = await response.text()
  if (response.ok) return undefined
  const details = response.status === 422 ? readDetails(text) : undefined
  if (details) return details
  throw new Error(`Lago answered ${response.status}`)
}

function readDetails(text: string): Refused | undefined {
  try {
    const { error_details: details } = JSON.parse(text) as { error_details?: Refused }
    return details && Object.keys(details).length > 0 ? details : undefined
  } catch {
    return undefined
  }
}

/** A batch with one event that cannot be taken is not taken at all: what was all right in it goes once more, by itself. */
async function settle(
  system: Queries,
  events: readonly UsageEvent[],
  refused: Refused | undefined,
  log: Logger,
): Promise<number> {
  const known = (event: number) => refused?.[event]?.transaction_id?.includes('value_already_exist') === true
  const taken = events.filter((_event, place) => !refused || known(place))
  if (taken.length > 0)
    await markDelivered(
      system,
      taken.map(({ id }) => id),
    )
  const again: string[] = []
  for (const [place, { id }] of events.entries()) {
    if (!refused || known(place)) continue
    const problems = refused[place]
    if (!problems) again.push(id)
    else {
      log.error({ event: id, problems }, 'the billing service refuses this usage for good')
      await markRefused(system, id, JSON.stringify(problems))
    }
  }
  if (again.length > 0) await giveBackUsage(system, again, -1)
  return taken.length
}
