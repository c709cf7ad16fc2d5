import type { HandlerContext } from '../context.ts'
import { fail } from '../errors.ts'
import { newId } from '../ids.ts'
import { planOf } from './plans.ts'
import { findPlan, insertUsage, useOfDay } from './store.ts'

/**
 * Counts runs that are about to start against the org's plan, and tells the billing service of them. Last in its
 * transaction: from here on other starts of the org wait for it.
 */
export async function useRuns({ db, settings }: HandlerContext, runIds: readonly string[]): Promise<void> {
  if (runIds.length === 0) return
  const { name, plan } = planOf(await findPlan(db))
  const limit = plan.runs_per_day
  const used = await useOfDay(db, 'runs_per_day', runIds.length)
  if (limit !== null && used > limit) {
    const before = used - runIds.length
    const until = 86_400 - ((Date.now() / 1000) % 86_400)
    fail(
      'quota_exceeded',
      `The plan ${name} gives ${limit} runs a day, and ${before} are used; this needs ${runIds.length}. The next day begins at 00:00 UTC.`,
      { details: { resource: 'runs_per_day', limit, used: before, retry_after_seconds: Math.ceil(until) } },
    )
  }
  // Nobody pays for an org that its person does not know of yet.
  if (!settings.metered || name === 'pending') return
  for (const id of runIds)
    await insertUsage(db, { id: newId(), meter: 'runs', quantity: 1, properties: { run_id: id } })
}
