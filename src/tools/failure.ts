import type { CallToolResult } from '@modelcontextprotocol/server'
import { type ErrorBody, errorBody, publicError } from '../core/errors.ts'

/** Where what was nobody's plan is written down: never in the answer. */
export interface FailureLog {
  error(facts: object, message: string): void
  debug(facts: object, message: string): void
}

/** What the caller reads; what was nobody's plan is written to the log with its cause. */
export function toldError(error: unknown, requestId: string, log: FailureLog): ErrorBody {
  const seen = publicError(error, requestId)
  if (seen.code === 'internal')
    log.error({ err: error, request_id: requestId }, 'A command failed in a way nobody planned')
  return errorBody(seen)
}

/** Never with structuredContent: 1.x clients hold it to the output schema and throw. */
export const toolFailure = (error: ErrorBody): CallToolResult => ({
  content: [{ type: 'text', text: JSON.stringify(error) }],
  isError: true,
})
