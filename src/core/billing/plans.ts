/** What a plan gives. null: no limit. */
export interface Plan {
  /** Runs that an org may start from one 00:00 UTC to the next. */
  runs_per_day: number | null
  /** Orgs that one person may own. */
  orgs: number | null
  /** Credits that come each month. */
  monthly_credits: number
}

/** Every plan there is. The sources disagree about prices and sizes: whoever sells Molar changes them here. */
export const plans = {
  /** A laptop, or an installation that counts nothing. */
  unlimited: { runs_per_day: null, orgs: null, monthly_credits: 0 },
  /** An agent opened the org, and its person has not confirmed it yet. */
  pending: { runs_per_day: 10, orgs: 0, monthly_credits: 0 },
  free: { runs_per_day: 200, orgs: 3, monthly_credits: 0 },
  starter: { runs_per_day: 5000, orgs: 10, monthly_credits: 5000 },
  pro: { runs_per_day: 50_000, orgs: 50, monthly_credits: 25_000 },
} as const satisfies Record<string, Plan>
export type PlanName = keyof typeof plans

/** What an org has a right to just now: a plan that was chosen counts once it is paid for. */
export function planOf(org: { plan: string; status: string }): { name: PlanName; plan: Plan } {
  const chosen = Object.hasOwn(plans, org.plan) ? (org.plan as PlanName) : 'free'
  const name = org.status === 'pending' ? 'pending' : org.status === 'awaiting_payment' ? 'free' : chosen
  return { name, plan: plans[name] }
}
