import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { entitlements, readEntitlements } from './entitlements.ts'
import { findUsage } from './store.ts'

export const getUsage = defineCommand({
  name: 'billing.usage',
  tool: 'molar_get_usage',
  toolset: { default: false },
  title: 'What was used',
  summary: 'What the org used in a month, day by day, against its plan.',
  input: z.object({
    month: z
      .string()
      .regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'must be a month, such as 2026-11')
      .optional()
      .describe('This one (UTC), when left out'),
  }),
  output: entitlements.extend({
    month: z.string(),
    total: z.record(z.string(), z.int()),
    days: z.array(z.object({ day: z.string(), resource: z.string(), used: z.int() })),
  }),
  rest: 'GET /v1/billing/usage',
  access: { scope: 'mcp:read', power: 'belong' },
  effect: 'read',
  errors: ['validation_failed'],
  examples: [
    { title: 'a month in which nothing was', input: { month: '2020-01' }, output: { month: '2020-01', days: [] } },
    { title: 'no month', input: { month: '2020-13' }, error: 'validation_failed' },
  ],
  async handler({ month = new Date().toISOString().slice(0, 7) }, { db }) {
    const days = await findUsage(db, `${month}-01`)
    const total: Record<string, number> = {}
    for (const { resource, used } of days) total[resource] = (total[resource] ?? 0) + used
    return { ...(await readEntitlements(db)), month, total, days }
  },
})
