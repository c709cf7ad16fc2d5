import { z } from 'zod'
import { id, time } from '../fields.ts'
import { roles } from '../principal.ts'

export const role = z.enum(roles)

export const member = z.object({ user_id: id, email: z.string(), name: z.string(), role, created_at: time })
export type Member = z.input<typeof member>
