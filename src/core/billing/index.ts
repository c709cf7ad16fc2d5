import { getEntitlements } from './entitlements.ts'
import { getUsage } from './usage.ts'

export { entitlements, readEntitlements } from './entitlements.ts'
export { deliverUsage, type Lago } from './lago.ts'
export { type Plan, type PlanName, planOf, plans } from './plans.ts'
export { forgetUsage } from './store.ts'
export { useRuns } from './use-runs.ts'
export const billingCommands = [getEntitlements, getUsage]
