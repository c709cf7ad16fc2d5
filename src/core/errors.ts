/**
 * Every error a caller can meet: its HTTP status and the CLI's exit code. Codes are added, never renamed.
 * Exit codes: 1 a verdict is not "passed", 2 wrong input, 3 not allowed, 4 not there, 5 conflict, 6 limits, 7 unavailable, 70 our fault.
 */
export const errorTable = {
  bad_request: { status: 400, exit: 2 },
  malformed_json: { status: 400, exit: 2 },
  unauthorized: { status: 401, exit: 3 },
  payment_required: { status: 402, exit: 6 },
  forbidden: { status: 403, exit: 3 },
  insufficient_scope: { status: 403, exit: 3 },
  reauthentication_required: { status: 403, exit: 3 },
  not_found: { status: 404, exit: 4 },
  method_not_allowed: { status: 405, exit: 2 },
  not_acceptable: { status: 406, exit: 2 },
  conflict: { status: 409, exit: 5 },
  idempotency_in_flight: { status: 409, exit: 5 },
  precondition_failed: { status: 412, exit: 5 },
  payload_too_large: { status: 413, exit: 2 },
  unsupported_media_type: { status: 415, exit: 2 },
  range_not_satisfiable: { status: 416, exit: 2 },
  validation_failed: { status: 422, exit: 2 },
  scenario_invalid: { status: 422, exit: 2 },
  idempotency_key_reused: { status: 422, exit: 5 },
  rate_limited: { status: 429, exit: 6 },
  quota_exceeded: { status: 429, exit: 6 },
  cancelled: { status: 499, exit: 130 },
  internal: { status: 500, exit: 70 },
  purge_failed: { status: 500, exit: 7 },
  unavailable: { status: 503, exit: 7 },
  browser_unavailable: { status: 503, exit: 7 },
  clones_unavailable: { status: 503, exit: 7 },
} as const

export type ErrorCode = keyof typeof errorTable

/** What the caller can mend. `details` is part of the answer: never put a secret or a cause in it. */
export class CommandError extends Error {
  readonly code: ErrorCode
  readonly details: Record<string, unknown> | undefined
  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: Record<string, unknown> } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CommandError'
    this.code = code
    this.details = options.details
  }
}

/** Throws a CommandError; typed `never` so that `?? fail(…)` reads as the rest of a sentence. */
export function fail(
  code: ErrorCode,
  message: string,
  options: { cause?: unknown; details?: Record<string, unknown> } = {},
): never {
  throw new CommandError(code, message, options)
}

/** What a caller reads when something fails, at every door. A 429 has resource, limit and used at the top too. */
export interface ErrorBody {
  error: ErrorCode
  message: string
  details?: Record<string, unknown>
  [fact: string]: unknown
}

/** A CommandError as it is. Anything else was nobody's plan: it is `internal`, says its request id and nothing more. */
export function publicError(error: unknown, requestId: string): CommandError {
  if (error instanceof CommandError) return error
  return new CommandError('internal', `Something went wrong on our side. Quote request id ${requestId}.`, {
    cause: error,
  })
}

/** Facts that the contract has at the top of an answer too. */
const topFacts: Partial<Record<number, readonly string[]>> = { 429: ['resource', 'limit', 'used'], 500: ['purge_id'] }

export function errorBody({ code, message, details }: CommandError): ErrorBody {
  const body: ErrorBody = { error: code, message, ...(details && { details }) }
  for (const fact of topFacts[errorTable[code].status] ?? [])
    if (details?.[fact] !== undefined) body[fact] = details[fact]
  return body
}
