import { z } from 'zod'

/** An org in a path or a field: by id or slug. */
export const orgRef = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,64}$/, 'must be the id or the slug of an org')
  .describe('The org, by id or slug')
