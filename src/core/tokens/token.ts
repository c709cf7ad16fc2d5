import { z } from 'zod'
import { id, nullableTime, time } from '../fields.ts'
import { scopeList } from '../keys/index.ts'
import { roles } from '../principal.ts'

export const kinds = ['pat', 'svc'] as const
export type Kind = (typeof kinds)[number]

/** A personal or service token without its plaintext. */
export const token = z.object({
  id,
  kind: z.enum(kinds).describe('pat: a person’s, with the role that they have; svc: a program’s, with its own'),
  name: z.string(),
  prefix: z.string().describe('First characters of the token, to know it by'),
  scopes: scopeList,
  role: z.enum(roles),
  user_id: id.nullable().describe('Whose it is, or who made it'),
  created_at: time,
  expires_at: nullableTime,
  expires_soon: z.boolean().describe('Within 7 days'),
  last_used_at: nullableTime,
  revoked_at: nullableTime,
})
export type Token = z.input<typeof token>
