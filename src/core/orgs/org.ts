import { z } from 'zod'
import { planOf } from '../billing/index.ts'
import { id, slug, time } from '../fields.ts'
import { roles } from '../principal.ts'
import type { OrgRow } from './store.ts'

export const org = z.object({
  id,
  slug,
  name: z.string(),
  plan: z.string(),
  status: z.enum(['pending', 'awaiting_payment', 'provisioning', 'running', 'failed', 'deleting']),
  role: z.enum(roles).describe('The caller’s own'),
  created_at: time,
  updated_at: time,
  credits_balance: z.int(),
  plan_monthly_credits: z.int(),
  overage_used_credits: z.int(),
  overage_cap_credits: z.int(),
})

/** A row as the org that its reader sees. */
export const showOrg = (row: OrgRow) => ({ ...row, plan_monthly_credits: planOf(row).plan.monthly_credits })
