import { z } from 'zod'
import { id, slug, time } from '../fields.ts'
import { scopeNames } from '../principal.ts'

/** An app that may act for a person in one org. */
export const app = z.object({
  id,
  name: z.string().describe('As the app calls itself'),
  redirect_host: z.string().nullable().describe('Where it got its answer; null for a device that showed a code'),
  org: z.object({ id, slug, name: z.string() }),
  scopes: z.array(z.enum(scopeNames)),
  created_at: time,
  last_used_at: time.describe('To the hour'),
})
export type App = z.input<typeof app>
