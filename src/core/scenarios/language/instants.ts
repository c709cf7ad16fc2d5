import { isDigits } from './values.ts'

/** `2026-01-31` or `2026-01-31T10:00[:00[.000]]` with `Z` or `+01:00`, as an ISO instant in UTC; undefined where it is none. */
export function instantOf(text: string): string | undefined {
  const [date = '', time, ...more] = text.trim().toUpperCase().split('T')
  const [year = '', month = '', day = '', ...rest] = date.split('-')
  const dated = [year, month, day].every(isDigits) && year.length === 4 && month.length === 2 && day.length === 2
  if (!dated || rest.length > 0 || more.length > 0 || (time !== undefined && !isTime(time))) return
  const ms = Date.parse(time === undefined ? `${date}T00:00:00Z` : `${date}T${time}`)
  // Date.parse lets the 31st of February slide into March.
  if (Number.isNaN(ms) || new Date(Date.UTC(+year, +month - 1, +day)).getUTCDate() !== +day) return
  return new Date(ms).toISOString()
}

/** A time with its zone: without one it would mean another instant on every machine. */
function isTime(time: string): boolean {
  const at = Math.max(time.indexOf('Z'), time.indexOf('+'), time.indexOf('-'))
  if (at === -1 || time.length > 32) return false
  const zone = time.slice(at)
  return zone === 'Z' || (zone.length === 6 && zone[3] === ':' && isDigits(zone.slice(1, 3)) && isDigits(zone.slice(4)))
}
