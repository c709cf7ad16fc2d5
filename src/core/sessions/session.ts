import { z } from 'zod'
import { id, time } from '../fields.ts'

/** Somebody signed in, in one browser. */
export const session = z.object({
  id,
  current: z.boolean().describe('Whether it is the one that asks'),
  ip_address: z.string().nullable(),
  user_agent: z.string().nullable(),
  created_at: time,
  last_used_at: time,
  expires_at: time,
})
export type Session = z.input<typeof session>
