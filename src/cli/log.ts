import { mkdirSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { destination, type Logger } from 'pino'
import type { Config } from '../config.ts'
import { makeLogger } from '../server/log.ts'

const largest = 10_000_000

/** Where a one-shot verb's log lies: between the lines that a user reads it would only be in the way. */
export const logFile = (config: Config): string => join(config.home, 'molar.log')

/** Warnings of a one-shot verb go to a file in the home; with MOLAR_LOG_LEVEL set, to stderr. Never to stdout. */
export function quietLog(config: Config): Logger {
  if (config.logLevel) return makeLogger(config.logLevel, destination({ dest: 2, sync: true }))
  try {
    mkdirSync(config.home, { recursive: true, mode: 0o700 })
    const dest = logFile(config)
    if ((statSync(dest, { throwIfNoEntry: false })?.size ?? 0) > largest) truncateSync(dest, 0)
    return makeLogger('warn', destination({ dest, sync: true, append: true, mode: 0o600 }))
  } catch {
    return makeLogger('error', destination({ dest: 2, sync: true })) // a home that cannot be written is told of elsewhere
  }
}

/** A server's log: one JSON object a line, on stderr. */
export const serverLog = (config: Config): Logger =>
  makeLogger(config.logLevel ?? 'info', destination({ dest: 2, sync: false }))
