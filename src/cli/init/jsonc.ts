import { isDeepStrictEqual } from 'node:util'

type Json = Record<string, unknown>

/**
 * The text with `members[name] = entry` put first into the object `members`, and not one other character changed:
 * comments, order and indentation stay. undefined when the text is no JSON object, so that nothing is lost by guessing.
 */
export function addEntry(text: string, members: string, name: string, entry: Json): string | undefined {
  const before = readJsonc(text)
  if (before === undefined || !isObject(before[members] ?? {})) return undefined
  const line = text.includes('\r\n') ? '\r\n' : '\n'
  const indent = /^([ \t]+)"/m.exec(text)?.[1] ?? '  '
  const inner = members in before
  const place = inner ? openingOf(text, members) : text.indexOf('{', skipBlank(text, 0)) + 1
  if (place === undefined || place === 0) return undefined
  const value = inner ? { [name]: entry } : { [members]: { [name]: entry } }
  const body = JSON.stringify(value, null, indent)
    .split('\n')
    .slice(1, -1)
    .map((row) => (inner ? indent : '') + row)
  const empty = Object.keys(inner ? (before[members] as Json) : before).length === 0
  const closing = empty && !/^\s*\n/.test(text.slice(place)) ? line + (inner ? indent : '') : ''
  const after = text.slice(0, place) + line + body.join(line) + (empty ? '' : ',') + closing + text.slice(place)
  const wanted = { ...before, [members]: { ...(before[members] as Json | undefined), [name]: entry } }
  return isDeepStrictEqual(readJsonc(after), wanted) ? after : undefined
}

/** JSON with comments and trailing commas, as editors write it; undefined when it is not even that. */
export function readJsonc(text: string): Json | undefined {
  let plain = ''
  let at = text.startsWith('\ufeff') ? 1 : 0
  while (at < text.length) {
    const end = skipToken(text, at)
    const token = text.slice(at, end)
    if (
      !token.startsWith('//') &&
      !token.startsWith('/*') &&
      !(token === ',' && /^[}\]]/.test(text.slice(skipBlank(text, end))))
    )
      plain += token
    at = end
  }
  try {
    const value: unknown = JSON.parse(plain)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Where the token at `at` ends: a string, a comment, or one character. */
function skipToken(text: string, at: number): number {
  const rest = (end: number) => (end === -1 ? text.length : end)
  if (text.startsWith('//', at)) return rest(text.indexOf('\n', at))
  if (text.startsWith('/*', at)) return rest(text.indexOf('*/', at)) + 2
  if (text[at] !== '"') return at + 1
  for (let end = at + 1; end < text.length; end++) {
    if (text[end] === '\\') end++
    else if (text[end] === '"') return end + 1
  }
  return text.length
}

/** The next place that is neither white space nor comment. */
function skipBlank(text: string, from: number): number {
  let at = from
  while (
    at < text.length &&
    (/\s|\ufeff/.test(text[at] ?? '') || text.startsWith('//', at) || text.startsWith('/*', at))
  )
    at = skipToken(text, at)
  return at
}

/** The place right after the `{` of a top-level member. */
function openingOf(text: string, member: string): number | undefined {
  let depth = 0
  for (let at = 0; at < text.length; ) {
    const end = skipToken(text, at)
    const token = text.slice(at, end)
    if (token === '{' || token === '[') depth++
    if (token === '}' || token === ']') depth--
    if (depth === 1 && token === JSON.stringify(member)) {
      const colon = skipBlank(text, end)
      const open = skipBlank(text, colon + 1)
      if (text[colon] === ':' && text[open] === '{') return open + 1
    }
    at = end
  }
  return undefined
}
