import { z } from 'zod'
import { id, nullableTime, time } from '../fields.ts'

export const passkey = z.object({ id, name: z.string().nullable(), created_at: time })

/** A person, as they see themselves. */
export const account = z.object({
  id,
  email: z.string(),
  name: z.string(),
  email_verified: z.boolean(),
  two_factor: z.boolean().describe('Whether signing in asks for a code'),
  password: z.boolean().describe('Whether there is one'),
  providers: z.array(z.string()).describe('Outside places where the person can sign in'),
  passkeys: z.array(passkey),
  terms_accepted_at: nullableTime,
  created_at: time,
})
export type Account = z.input<typeof account>
