import type { Range } from '../plan.ts'

/** Codes are added, never reused. */
export const problemCodes = {
  MOLAR_S001: 'unknown step or verb',
  MOLAR_S002: 'missing required key',
  MOLAR_S003: 'wrong value',
  MOLAR_S004: 'unknown key',
  MOLAR_S005: 'unresolved variable or secret',
  MOLAR_S006: 'unknown or wrong option',
  MOLAR_S007: 'no steps',
  MOLAR_S008: 'duplicate slug or id',
  MOLAR_S009: 'front matter is not YAML',
  MOLAR_S010: 'unknown role',
  MOLAR_S011: 'pattern too long or unsafe',
  MOLAR_S012: 'too large',
  /** A warning: it runs all the same. */
  MOLAR_S013: 'a password written out',
} as const

export type ProblemCode = keyof typeof problemCodes

/** What is wrong and where; lines and columns from 1, columns in UTF-16 units, the end exclusive. */
export interface Problem {
  code: ProblemCode
  message: string
  range: Range
  suggestions: string[]
}

/** A problem while the source is still counted in offsets. */
export interface Finding {
  code: ProblemCode
  message: string
  start: number
  end: number
  suggestions: string[]
}

/** Takes findings as they come; they are sorted and given lines and columns at the end. */
export type Report = (finding: Finding) => void

/** `file:line:column-line:column CODE message. Did you mean: …?` */
export function formatProblem(file: string, { code, message, range, suggestions }: Problem): string {
  const { start, end } = range
  const where = `${file}:${start.line}:${start.column}-${end.line}:${end.column}`
  const hint = suggestions.length > 0 ? ` Did you mean: ${suggestions.join(', ')}?` : ''
  return `${where} ${code} ${message}${hint}`
}
