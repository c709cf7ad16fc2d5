import pg from 'pg'
import { CommandError } from '../core/errors.ts'

/** PostgreSQL cannot be reached just now; what was in flight may or may not have been committed. Doors answer 503. */
export class DatabaseUnavailable extends CommandError {
  constructor(cause: unknown) {
    super('unavailable', 'The database cannot be reached just now. Try again in a few seconds.', { cause })
    this.name = 'DatabaseUnavailable'
  }
}

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
])
// Class 08 is the connection itself; 57P01..05 the server going, coming or dropping us; 53300 too many connections.
const serverCodes = /^(08...|57P0[1-5]|53300)$/
const driverMessages =
  /^(Connection terminated|timeout expired|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|Connection ended|Cannot use a pool after)/

/** True when the connection, not the statement, is what failed. */
export function isConnectionError(error: unknown): boolean {
  if (error instanceof DatabaseUnavailable) return true
  if (error instanceof AggregateError) return error.errors.some(isConnectionError)
  if (!(error instanceof Error)) return false
  // A socket in the file system that is not there, or whose server is too busy to take one more: ENOENT, EAGAIN.
  if ((error as NodeJS.ErrnoException).syscall === 'connect') return true
  const code = sqlState(error) ?? ''
  return networkCodes.has(code) || serverCodes.test(code) || driverMessages.test(error.message)
}

/** Connection failures as DatabaseUnavailable, everything else as it came. */
export function asDatabaseError(error: unknown): unknown {
  return isConnectionError(error) && !(error instanceof DatabaseUnavailable) ? new DatabaseUnavailable(error) : error
}

/** The SQLSTATE (or the system's error code, such as ECONNREFUSED), if the error carries one. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : undefined
}

function violates(error: unknown, state: string, constraint?: string): boolean {
  if (!(error instanceof pg.DatabaseError) || error.code !== state) return false
  return constraint === undefined || error.constraint === constraint
}

/** A row with this key is there already (23505), of the named constraint or index if one is given. */
export const isUniqueViolation = (error: unknown, constraint?: string): boolean => violates(error, '23505', constraint)
/** The row that is pointed to is not there, or is still pointed to (23503). */
export const isForeignKeyViolation = (error: unknown, constraint?: string): boolean =>
  violates(error, '23503', constraint)
/** A CHECK refused the row (23514). */
export const isCheckViolation = (error: unknown, constraint?: string): boolean => violates(error, '23514', constraint)
/** Row-level security or a missing grant refused it (42501). */
export const isInsufficientPrivilege = (error: unknown): boolean => violates(error, '42501')
/** statement_timeout, or a cancel (57014). */
export const isStatementTimeout = (error: unknown): boolean => violates(error, '57014')
/** Two transactions met (40001, 40P01): the same work may well succeed when it is tried again. */
export const isRetryable = (error: unknown): boolean => violates(error, '40001') || violates(error, '40P01')
