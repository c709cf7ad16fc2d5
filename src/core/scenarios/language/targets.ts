import type { Target } from '../plan.ts'
import { nearest } from './nearest.ts'
import { roles, roleWords } from './roles.ts'
import { miss, once, peek, refuse, type Scan, type Slot, skipSpace, takeLetters, takeWord } from './scanner.ts'
import { checkSelector } from './unsafe.ts'
import { isQuote, quoted, readDelimited } from './values.ts'

/** Deeper nesting says that something went wrong, and would cost the resolver a query each. */
const maxDepth = 12

/** `"name"`, `role "name"`, `testid "x"`, a role alone, a CSS selector, narrowed with `in <target>`. */
export const target: Slot<Target> = once('target', (scan) => {
  const chain = readChain(scan, 0)
  return chain?.reduceRight((within, one) => ({ ...one, within }))
})

/** The element first, then what it stands in. */
function readChain(scan: Scan, depth: number): Target[] | undefined {
  const start = skipSpace(scan)
  const chain = readOne(scan, depth)
  if (!chain) return
  while (takeWord(scan, 'in')) {
    const next = readOne(scan, depth)
    if (!next) return
    chain.push(...next)
    if (chain.length > maxDepth) {
      return refuse(scan, 'MOLAR_S003', start, scan.at, `A target is narrowed at most ${maxDepth - 1} times.`)
    }
  }
  scan.afterWord = false
  return chain
}

function readOne(scan: Scan, depth: number): Target[] | undefined {
  const next = peek(scan)
  if (next === '(') return readBracket(scan, depth)
  if (isQuote(next)) {
    const name = readName(scan)
    return name === undefined ? undefined : [{ by: 'name', name }]
  }
  if (next === '`') return readSelector(scan)
  const start = scan.at
  const word = takeLetters(scan)
  if (word === '') return miss(scan, '"name"', 'role "name"', '`css`')
  if (word.toLowerCase() === 'testid') return readTestId(scan)
  const role = word.toLowerCase()
  if (!roles.has(role)) return unknownRole(scan, start, word)
  if (!isQuote(peek(scan))) return [{ by: 'role', role }]
  const name = readName(scan)
  return name === undefined ? undefined : [{ by: 'role', role, name }]
}

function readBracket(scan: Scan, depth: number): Target[] | undefined {
  const start = scan.at
  if (depth >= maxDepth) return refuse(scan, 'MOLAR_S003', start, start + 1, 'Too many brackets inside each other.')
  scan.at++
  const chain = readChain(scan, depth + 1)
  if (!chain) return
  if (peek(scan) !== ')') return miss(scan, ')')
  scan.at++
  return chain
}

function readName(scan: Scan) {
  const start = scan.at
  const name = quoted(scan)
  if (name === '') return refuse(scan, 'MOLAR_S003', start, scan.at, 'A name must not be empty.')
  return name
}

function readSelector(scan: Scan): Target[] | undefined {
  const start = scan.at
  const css = readDelimited(scan)
  if (css === undefined) return
  const unsafe = checkSelector(css)
  if (unsafe) return refuse(scan, unsafe.code, start, scan.at, unsafe.message)
  return [{ by: 'css', css }]
}

function readTestId(scan: Scan): Target[] | undefined {
  const next = peek(scan)
  if (!isQuote(next) && next !== '`') return miss(scan, '"…"')
  const testid = readDelimited(scan)
  return testid === undefined ? undefined : [{ by: 'testid', testid }]
}

function unknownRole(scan: Scan, start: number, word: string): undefined {
  const near = Object.hasOwn(roleWords, word.toLowerCase()) ? roleWords[word.toLowerCase()] : nearest(word, roles)
  const rest = scan.source.slice(start, scan.end).trim()
  const suggestions = near?.length
    ? near
    : !rest.includes('"') && rest.length <= 80
      ? [`"${rest}"`]
      : ['a name in quotes']
  const message = `"${word}" is not an ARIA role; a target is "name", role "name", testid "x" or a CSS selector in backticks.`
  scan.at = start
  return refuse(scan, 'MOLAR_S010', start, start + word.length, message, suggestions)
}
