import type { Target } from '../plan.ts'
import { shownValue } from './values.ts'

/** A target as a scenario writes it, references unresolved: `button "Delete" in row "Ada"`. */
export function describeTarget(target: Target): string {
  const narrowed = target.within ? ` in ${describeTarget(target.within)}` : ''
  return describeAlone(target) + describeChoice(target) + narrowed
}

function describeAlone(target: Target): string {
  if (target.by === 'css') return `\`${shownValue(target.css)}\``
  if (target.by === 'testid') return `testid "${shownValue(target.testid)}"`
  if (target.by === 'name') return `"${shownValue(target.name)}"`
  return target.name === undefined ? target.role : `${target.role} "${shownValue(target.name)}"`
}

function describeChoice(target: Target): string {
  if (target.nth !== undefined) return ` {nth: ${target.nth}}`
  if (target.first) return ' {first: true}'
  return target.last ? ' {last: true}' : ''
}
