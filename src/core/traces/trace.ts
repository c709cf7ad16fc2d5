import { z } from 'zod'
import { id, time } from '../fields.ts'

/** A trace says `error` where its run says `errored`. */
export const traceStatuses = ['queued', 'running', 'passed', 'failed', 'error', 'aborted'] as const
export const traceSources = ['pr', 'schedule', 'manual', 'shadow_diff'] as const
export const tiers = ['hot', 'warm', 'cold'] as const

export const trace = z.object({
  id,
  short_id: z.string(),
  run_id: id,
  scenario_id: id,
  scenario_title: z.string(),
  status: z.enum(traceStatuses),
  source: z.enum(traceSources),
  tier: z.enum(tiers),
  pinned: z.boolean(),
  duration_ms: z.int().nullable(),
  code_sha: z.string().nullable(),
  failure_signature: z.string().nullable(),
  created_at: time,
})
export type Trace = z.input<typeof trace>
