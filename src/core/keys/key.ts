import { z } from 'zod'
import { id, nullableTime, time } from '../fields.ts'
import { scopeNames } from '../principal.ts'

export const scopeList = z.array(z.enum(scopeNames))

/** An API key without its plaintext. */
export const key = z.object({
  id,
  name: z.string(),
  prefix: z.string().describe('First characters of the key, to know it by'),
  scopes: scopeList,
  created_at: time,
  expires_at: nullableTime,
  expires_soon: z.boolean().describe('Within 7 days'),
  last_used_at: nullableTime,
  revoked_at: nullableTime,
})

export type Key = z.input<typeof key>
