import { isDigits } from './values.ts'

/** Lists and quotes inside each other: beyond this no person wrote it, and Markdown parsers grow slow. */
const deepest = 24

/** Some Markdown costs the square of its lines: 500 steps with their prose and blocks stay far below this. */
const mostLines = 4000

/** What no person writes and a Markdown parser is slow at: the place, and what to say. */
export function tooMuch(source: string): { start: number; end: number; message: string } | undefined {
  let start = 0
  let lines = 0
  let open: number[] = []
  while (start < source.length) {
    const newline = source.indexOf('\n', start)
    const end = newline === -1 ? source.length : newline
    if (end > start) lines++
    if (lines > mostLines)
      return { start, end, message: `A scenario has at most ${mostLines} lines that are not empty.` }
    const marked = markers(source, start, end)
    if (marked > 0) {
      const column = indent(source, start)
      open = [...open.filter((outer) => outer < column), column]
    }
    if (marked + open.length > deepest + 1) return { start, end, message: 'Lists or quotes are nested too deeply.' }
    start = end + 1
  }
  return undefined
}

/** The column of the line's first character, a tab reaching to the next multiple of 4. */
function indent(source: string, start: number): number {
  let column = 0
  for (let at = start; ; at++) {
    if (source[at] === ' ') column++
    else if (source[at] === '\t') column += 4 - (column % 4)
    else return column
  }
}

/** How many lists and quotes the line opens. */
function markers(source: string, start: number, end: number): number {
  let count = 0
  for (let at = start; at < end; at++) {
    const char = source[at] as string
    const spaced = ' \t\n'.includes(source[at + 1] ?? '\n')
    if (char === '>' || ('*+-'.includes(char) && spaced)) count++
    else if ((char === '.' || char === ')') && spaced && isDigits(source[at - 1] ?? '')) count++
    else if (char !== ' ' && char !== '\t' && !isDigits(char)) break
  }
  return count
}
