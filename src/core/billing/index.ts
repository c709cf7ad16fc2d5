export { type Plan, type PlanName, planOf, plans } from './plans.ts'
