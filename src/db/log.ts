/** The part of a pino logger that this folder uses; `pino()` fits. */
export type Log = {
  debug(details: object, message: string): void
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}

/** Says nothing: for tests and short-lived callers. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }
