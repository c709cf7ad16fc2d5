import { CommandError } from '../errors.ts'

/**
 * Why an address that a user gave was not reached. Not everyone who asks does so for a caller who waits: for them
 * `reason` says whether to try again (unreachable, timeout) or never (refused). For a caller it is wrong input.
 */
export class OutsideError extends CommandError {
  readonly reason: 'refused' | 'unreachable' | 'timeout' | 'too_large' | 'malformed'
  constructor(reason: OutsideError['reason'], message: string, cause?: unknown) {
    super('validation_failed', message, { cause })
    this.name = 'OutsideError'
    this.reason = reason
  }
}
