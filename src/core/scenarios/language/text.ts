import type { Position, Range } from '../plan.ts'
import type { Finding, Problem } from './problem.ts'

/** The one form of a source that is hashed and compiled: no BOM, LF, Unicode NFC, one newline at the end. */
export function canonicalText(source: string): string {
  const text = source.startsWith('\uFEFF') ? source.slice(1) : source
  const unix = text.includes('\r') ? text.replaceAll('\r\n', '\n').replaceAll('\r', '\n') : text
  let end = unix.length
  while (end > 0 && unix[end - 1] === '\n') end--
  return `${unix.slice(0, end).normalize('NFC')}\n`
}

/** Offsets to lines and columns, both from 1. */
export function locator(source: string): (offset: number) => Position {
  const starts = [0]
  for (let at = source.indexOf('\n'); at !== -1; at = source.indexOf('\n', at + 1)) starts.push(at + 1)
  return (offset) => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((starts[middle] as number) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - (starts[low] as number) + 1 }
  }
}

/** Findings as problems: by position, then by code, the same one only once. */
export function toProblems(source: string, findings: readonly Finding[]): Problem[] {
  const locate = locator(source)
  const sorted = [...findings].sort(
    (a, b) => a.start - b.start || a.end - b.end || compare(a.code, b.code) || compare(a.message, b.message),
  )
  return sorted
    .filter((finding, index) => {
      const before = sorted[index - 1]
      return !(before && before.start === finding.start && before.message === finding.message)
    })
    .map(({ code, message, start, end, suggestions }) => {
      const range: Range = { start: locate(start), end: locate(end) }
      return { code, message, range, suggestions }
    })
}

/** Runs of white space as one space, none at the ends. */
export function foldSpace(text: string): string {
  return text
    .split(/[ \n\t\u00A0]+/)
    .filter((word) => word !== '')
    .join(' ')
}

export function isSpace(char: string | undefined): boolean {
  return char === ' ' || char === '\n' || char === '\t' || char === '\u00A0'
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
