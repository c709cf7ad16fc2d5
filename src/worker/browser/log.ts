import type { Logger } from 'pino'

/** What these modules say while they work: any pino logger fits. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn'>
