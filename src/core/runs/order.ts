import { z } from 'zod'
import { httpUrl } from '../fields.ts'

/** What every way to start a run takes. */
export const orderInput = {
  base_url: httpUrl.optional().describe('Where the application runs; the scenario’s own when left out'),
  region: z.string().max(64).default('local'),
  variables: z
    .record(z.string().max(100), z.string().max(10_000))
    .default({})
    .describe('Overrides of the scenario’s variables; "env.NAME" for ${env.NAME}'),
  secrets: z
    .record(z.string().max(100), z.string().max(10_000))
    .default({})
    .describe('Values of declared secrets for this run; encrypted, erased when it ends'),
  repo: z.string().max(200).optional().describe('owner/name'),
  commit_sha: z
    .string()
    .regex(/^[0-9a-f]{7,64}$/, 'must be a hex commit id')
    .optional(),
  pr_number: z.int().min(1).max(2_147_483_647).optional(),
}
