import { isDigits, isNumber } from './values.ts'

const units: readonly (readonly [string, number])[] = [
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]
/** Ten years: further than any trial period, and safely inside a timer's arithmetic. */
const longest = 3650 * 86_400_000

/** `250ms`, `30s`, `1.5s`, `5m`, `2h`, `30d` as milliseconds; undefined where it is none. */
export function durationMs(text: string): number | undefined {
  const lower = text.toLowerCase()
  const unit = units.find(([name]) => lower.endsWith(name) && isNumber(lower.slice(0, -name.length)))
  if (!unit || lower.startsWith('-')) return
  const ms = Math.round(Number(lower.slice(0, -unit[0].length)) * unit[1])
  return ms <= longest ? ms : undefined
}

export const durationHint = 'A duration is a number and a unit: 250ms, 30s, 5m, 2h, 30d.'

/** What a bare number may have meant. */
export function durationSuggestions(text: string): string[] {
  return isDigits(text) && text.length < 8 ? [`${text}s`, `${text}ms`] : ['30s']
}
