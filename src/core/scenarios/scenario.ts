import { z } from 'zod'
import { id, nullableTime, slug, time } from '../fields.ts'
import { type ProblemCode, problemCodes } from './language/problem.ts'

export const problem = z.object({
  file: z.string().nullable(),
  code: z.enum(Object.keys(problemCodes) as [ProblemCode, ...ProblemCode[]]),
  message: z.string(),
  range: z.object({
    start: z.object({ line: z.int(), column: z.int() }),
    end: z.object({ line: z.int(), column: z.int() }),
  }),
  suggestions: z.array(z.string()),
})

/** A scenario of an org, without its text. */
export const scenario = z.object({
  id,
  slug,
  title: z.string(),
  description: z.string(),
  priority: z.string(),
  tags: z.array(z.string()),
  version: z.int(),
  hash: z.string().describe('SHA-256 of compiler version and canonical content'),
  created_at: time,
  updated_at: time,
  archived_at: nullableTime,
})
export type Scenario = z.input<typeof scenario>

export const uploaded = z.object({
  file: z.string().nullable(),
  id,
  slug,
  version: z.int(),
  hash: z.string(),
  status: z.enum(['created', 'updated', 'unchanged', 'archived']),
})
export type Uploaded = z.input<typeof uploaded>
