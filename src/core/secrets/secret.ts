import { z } from 'zod'
import { time } from '../fields.ts'

export const secretName = z.string().regex(/^[A-Za-z0-9_-]{1,100}$/, 'must be 1 to 100 letters, digits, "_" and "-"')

/** A secret as it can be seen: never its value. */
export const secretFacts = z.object({ name: secretName, created_at: time, updated_at: time })
