import type { Database, TenantDatabase } from '../core/context.ts'
import { CommandError } from '../core/errors.ts'
import { DatabaseUnavailable, isStatementTimeout, type Database as OpenDatabase, type Sql } from '../db/index.ts'

/** The database as commands see it: one that cannot be reached is a 503 that says when to ask again. */
export function unavailableAsError(database: OpenDatabase): Database {
  return {
    tenant: (orgId, userId) => guard(database.tenant(orgId, userId)),
    system: guard(database.system),
    enter: (fingerprint, text, params) => database.enter(fingerprint, text, params).catch(translate),
  }
}

const guard = (sql: Sql): TenantDatabase => ({
  query: <Row extends object>(text: string, params?: unknown[]) => sql.query<Row>(text, params).catch(translate),
  tx: (work) => sql.tx(work).catch(translate),
})

function translate(error: unknown): never {
  if (error instanceof DatabaseUnavailable) {
    throw new CommandError(
      'unavailable',
      'The database cannot be reached right now. Ask again in a moment. Whether a change was made may be unknown: with an Idempotency-Key it is safe to send it again.',
      {
        cause: error,
        details: { retry_after_seconds: 2 },
      },
    )
  }
  if (isStatementTimeout(error)) {
    throw new CommandError('unavailable', 'The database took too long. Nothing was changed; ask again in a moment.', {
      cause: error,
      details: { retry_after_seconds: 2 },
    })
  }
  throw error
}
