import { isNamePart, miss, refuse, type Slot, skipSpace } from './scanner.ts'
import { isSpace } from './text.ts'
import { isDigits } from './values.ts'

/** `$.a.b[0]["c d"]` as written. */
export type JsonPath = string

/** The small subset of JSON paths: names, indexes from 0, quoted names in brackets. */
export const jsonPath: Slot<JsonPath> = (scan) => {
  const start = skipSpace(scan)
  if (scan.source[start] !== '$' || scan.source[start + 1] === '{' || start >= scan.end) return miss(scan, '$.path')
  let quote = false
  let end = start
  while (end < scan.end && (quote || !isSpace(scan.source[end]))) {
    if (scan.source[end] === '"') quote = !quote
    end++
  }
  const path = scan.source.slice(start, end)
  if (!isJsonPath(path)) {
    return refuse(scan, 'MOLAR_S003', start, end, 'A JSON path is made of names and indexes.', ['$.items[0].name'])
  }
  scan.at = end
  return path
}

function isJsonPath(path: string): boolean {
  let at = 1
  while (at < path.length) {
    const next = path[at] === '.' ? nameEnd(path, at + 1) : path[at] === '[' ? bracketEnd(path, at + 1) : -1
    if (next === -1) return false
    at = next
  }
  return path.length <= 500
}

function nameEnd(path: string, from: number): number {
  let at = from
  while (at < path.length && isNamePart(path[at] as string, '_-')) at++
  return at > from ? at : -1
}

function bracketEnd(path: string, from: number): number {
  if (path[from] === '"') {
    const close = path.indexOf('"', from + 1)
    return close > from + 1 && path[close + 1] === ']' ? close + 2 : -1
  }
  const close = path.indexOf(']', from)
  return close !== -1 && isDigits(path.slice(from, close)) ? close + 1 : -1
}
