import { CommandError, errorTable } from '../../core/errors.ts'
import { harmless, type Terminal } from '../terminal.ts'
import { cell } from './cell.ts'

/** What went wrong, on stderr: a line and its details, or the JSON that every door gives. Answers the exit code. */
export function printError(thrown: unknown, terminal: Terminal, json: boolean): number {
  const { err } = terminal
  const error = thrown instanceof CommandError ? thrown : unplanned(thrown)
  const { code, message, details } = error
  if (json) err.line(JSON.stringify({ error: code, message, ...(details ? { details } : {}) }))
  else {
    err.line(`${err.paint.red('error:')} ${harmless(message)}`)
    for (const [key, value] of Object.entries(details ?? {})) printDetail(key, value, message, terminal)
  }
  return errorTable[code].exit
}

/** Issues are in the message already; anything else is added as it is. */
function printDetail(key: string, value: unknown, message: string, { err }: Terminal): void {
  if (key === 'issues') return
  const lines = Array.isArray(value) ? value.map(written) : [written(value)]
  for (const line of lines.slice(0, 50)) {
    if (!message.includes(line)) err.line(Array.isArray(value) ? `  ${line}` : `  ${err.paint.dim(`${key}:`)} ${line}`)
  }
}

/** A problem of a scenario has its line ready. */
function written(value: unknown): string {
  const { formatted, message } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  return typeof formatted === 'string'
    ? harmless(formatted)
    : typeof message === 'string'
      ? harmless(message)
      : cell(value, false)
}

/** A failure that nobody planned, outside any command: the CLI itself is at fault, so its own words are safe to show. */
function unplanned(thrown: unknown): CommandError {
  const why = thrown instanceof Error ? thrown.message : String(thrown)
  return new CommandError('internal', `Something went wrong on our side: ${why}`, { cause: thrown })
}
