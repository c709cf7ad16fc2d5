import { errors, Provider } from 'oidc-provider'
import { CommandError } from '../../core/errors.ts'
import { isForeignKeyViolation } from '../../db/index.ts'

/** What went wrong, as an OAuth client can read it; what nobody planned stays what it is. Throws. */
export function tellClient(error: unknown): never {
  // The grant was revoked between two statements of this request.
  if (isForeignKeyViolation(error)) throw new errors.InvalidGrant('grant not found')
  if (error instanceof CommandError && error.code === 'unavailable') throw later(503, error)
  if (error instanceof CommandError && error.code === 'rate_limited') throw later(429, error)
  throw error
}

/** An error of a status that oidc-provider has no class for. */
function later(status: number, { message, details }: CommandError): Error {
  const seconds = details?.retry_after_seconds
  if (typeof seconds === 'number') Provider.ctx?.set('retry-after', String(seconds))
  const error = new errors.CustomOIDCProviderError('temporarily_unavailable', message)
  return Object.assign(error, { status, statusCode: status, expose: true })
}
