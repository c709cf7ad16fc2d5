import { z } from 'zod'
import { defineCommand } from '../command.ts'
import type { Queries } from '../context.ts'
import { time } from '../fields.ts'
import { planOf } from './plans.ts'
import { findPlan, findUsedToday } from './store.ts'

const amounts = z.object({ runs_per_day: z.int().nullable() })

export const entitlements = z.object({
  plan: z.string(),
  limits: amounts.describe('null: no limit'),
  used: z.object({ runs_per_day: z.int() }),
  resets_at: time.describe('When the days’ amounts begin anew: 00:00 UTC'),
})

/** What the current org has a right to, and has used of it. */
export async function readEntitlements(db: Queries) {
  const { name, plan } = planOf(await findPlan(db))
  const midnight = new Date()
  midnight.setUTCHours(24, 0, 0, 0)
  return {
    plan: name,
    limits: { runs_per_day: plan.runs_per_day },
    used: { runs_per_day: await findUsedToday(db, 'runs_per_day') },
    resets_at: midnight,
  }
}

export const getEntitlements = defineCommand({
  name: 'billing.entitlements',
  tool: 'molar_get_entitlements',
  toolset: { default: false },
  title: 'What the plan gives',
  summary: 'The org’s plan, its limits, how much of each is used, and when they begin anew.',
  input: z.object({}),
  output: entitlements,
  rest: 'GET /api/v1/entitlements',
  access: { scope: 'mcp:read', power: 'belong' },
  effect: 'read',
  errors: [],
  examples: [{ title: 'without limits', input: {}, output: { plan: 'unlimited', limits: { runs_per_day: null } } }],
  handler: (_input, { db }) => readEntitlements(db),
})
