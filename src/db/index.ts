export {
  type Database,
  type DatabaseOptions,
  openDatabase,
  type Queryable,
  type QueryOptions,
  type Sql,
  type Tx,
  type TxOptions,
} from './database.ts'
export {
  attachEmbedded,
  type Embedded,
  type EmbeddedOptions,
  type EmbeddedStatus,
  embeddedStatus,
  resetEmbedded,
  stopEmbedded,
} from './embedded.ts'
export {
  DatabaseUnavailable,
  isCheckViolation,
  isConnectionError,
  isForeignKeyViolation,
  isInsufficientPrivilege,
  isRetryable,
  isStatementTimeout,
  isUniqueViolation,
  sqlState,
} from './errors.ts'
export { installQueue } from './install-queue.ts'
export { type Log, silentLog } from './log.ts'
export { type MigrateOptions, migrate, schemaVersion } from './migrate.ts'
export { prepareDatabase } from './prepare.ts'
export {
  type Handler,
  type Job,
  openQueue,
  type Queue,
  type QueueOptions,
  type QueueSettings,
  type SendOptions,
  type Worker,
  type WorkOptions,
} from './queue.ts'
