import { oneLine, type Paint } from '../terminal.ts'

/** A value in one cell of a table or one line of a record. Times go to the minute where someone reads them. */
export function cell(value: unknown, live: boolean): string {
  if (value === null || value === undefined) return live ? '–' : ''
  if (Array.isArray(value) && value.every((one) => typeof one !== 'object')) return oneLine(value.join(', '))
  if (typeof value === 'object') return oneLine(JSON.stringify(value))
  if (typeof value === 'string' && live && isTime.test(value)) return localTime(value)
  return oneLine(String(value))
}

const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/

function localTime(value: string): string {
  const at = new Date(value)
  const two = (number: number) => String(number).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`
}

const colorOf: Record<string, keyof Paint> = {
  passed: 'green',
  ok: 'green',
  active: 'green',
  failed: 'red',
  errored: 'red',
  error: 'red',
  aborted: 'yellow',
  warning: 'yellow',
  running: 'cyan',
  queued: 'dim',
}

/** Verdicts and states in their colour. */
export const tint = (value: string, paint: Paint): string => paint[colorOf[value] ?? 'bold'](value)
export const isTinted = (value: string): boolean => Object.hasOwn(colorOf, value)
