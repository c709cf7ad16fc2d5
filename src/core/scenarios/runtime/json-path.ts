/** `$.a.b[0].c` and `$["a b"]`: the keys, or undefined where the path is not one. */
export function jsonPathKeys(path: string): string[] | undefined {
  const keys: string[] = []
  let rest = path.startsWith('$') ? path.slice(1) : `.${path}`
  while (rest !== '') {
    const end = rest[0] === '[' ? bracketEnd(rest) : dotEnd(rest)
    if (end < (rest[0] === '[' ? 3 : 2)) return undefined
    const key = rest[0] === '[' ? rest.slice(1, end - 1) : rest.slice(1, end)
    keys.push(/^(["']).*\1$/s.test(key) && key.length > 1 ? key.slice(1, -1) : key)
    rest = rest.slice(end)
  }
  return keys
}

function bracketEnd(text: string): number {
  const quote = text[1]
  if (quote !== '"' && quote !== "'") return text.indexOf(']') + 1
  const close = text.indexOf(`${quote}]`, 2)
  return close < 0 ? 0 : close + 2
}

function dotEnd(text: string): number {
  if (text[0] !== '.') return 0
  const ends = ['.', '['].map((mark) => text.indexOf(mark, 1)).filter((at) => at > 0)
  return Math.min(text.length, ...ends)
}

/** What stands at the path; `length` of a list is its number. undefined where nothing does. */
export function readJsonPath(value: unknown, keys: string[]): unknown {
  let here: unknown = value
  for (const key of keys) {
    if (here === null || typeof here !== 'object') return undefined
    // Own properties only: `$.constructor` is not a field of any answer.
    if (!Object.hasOwn(here, key)) return undefined
    here = (here as Record<string, unknown>)[key]
  }
  return here
}

/** A JSON value as a scenario writes it: text as it is, everything else as JSON. */
export function jsonAsText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined')
}
