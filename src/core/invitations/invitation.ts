import { z } from 'zod'
import { id, time } from '../fields.ts'
import { role } from '../members/index.ts'

/** How long an invitation may be accepted, in days. */
export const days = 7

/** An invitation without its token, which stands in the mail alone. */
export const invitation = z.object({
  id,
  email: z.string(),
  role,
  status: z.enum(['open', 'accepted', 'revoked', 'expired']),
  created_at: time,
  expires_at: time,
})
export type Invitation = z.input<typeof invitation>
