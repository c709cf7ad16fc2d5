export { type Collected, collectGarbage, type GarbageRules } from './collect.ts'
