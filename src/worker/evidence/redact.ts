import { formsOf, shortestSecret } from './forms.ts'
import { redacted, redactShapes, secretField } from './shapes.ts'

export interface Redactor {
  /** The text with every known secret as `[secret:NAME]` and what looks like a credential as `[redacted]`. */
  text(text: string): string
  /** The same for bytes of unknown encoding; the very same buffer when nothing was found. */
  bytes(buffer: Buffer): Buffer
  /** The same for every string of a JSON value; fields such as `authorization` and cookies lose their values. */
  json<T>(value: T): T
  /** Only the known secrets, not the shapes: for text that must keep its meaning. */
  secrets(text: string): string
  /** True when a known secret stands in these bytes, in any of its forms. */
  holds(buffer: Buffer): boolean
  /** Adds a value that turned out to be secret: from now on this redactor knows it too. */
  learn(name: string, value: string): void
  /** The same for what was typed as a password, unless it could be an ordinary word. */
  learnPassword(value: string): void
  /** Another redactor, which knows these values as well. */
  with(more: Record<string, string>): Redactor
}

/** Knows the declared secrets by name. Values shorter than 4 characters cannot be told from ordinary text and are left alone. */
export function makeRedactor(secrets: Record<string, string>): Redactor {
  const known = { ...secrets }
  let { inText, inBytes } = replacers(known)
  const text = (value: string) => redactShapes(inText(value))
  const learn = (name: string, value: string) => {
    if (Object.values(known).includes(value)) return
    known[freeName(name, known)] = value
    ;({ inText, inBytes } = replacers(known))
  }
  return {
    text,
    secrets: (value) => inText(value),
    bytes(buffer) {
      const before = buffer.toString('latin1')
      const after = redactShapes(inBytes(before))
      return after === before ? buffer : Buffer.from(after, 'latin1')
    },
    json: (value) => redactJson(value, text),
    holds(buffer) {
      const before = buffer.toString('latin1')
      return inBytes(before) !== before
    },
    learn,
    learnPassword(value) {
      if (!/^\p{L}{0,9}$/u.test(value)) learn('password', value)
    },
    with(more) {
      const other = makeRedactor(known)
      for (const [name, value] of Object.entries(more)) other.learn(name, value)
      return other
    },
  }
}

function freeName(name: string, taken: Record<string, string>): string {
  let free = name
  for (let count = 2; free in taken; count++) free = `${name}_${count}`
  return free
}

function replacers(secrets: Record<string, string>) {
  const names = new Map<string, string>()
  for (const [name, value] of Object.entries(secrets)) {
    if (value.length < shortestSecret) continue
    const mark = `[secret:${name.replace(/[^\w.-]/g, '_')}]`
    for (const form of formsOf(value)) if (!names.has(form)) names.set(form, mark)
  }
  // Bytes are looked at as Latin-1, one character a byte: a form is then its UTF-8 bytes.
  const bytes = new Map([...names].map(([form, mark]) => [Buffer.from(form).toString('latin1'), mark]))
  return { inText: replacer(names), inBytes: replacer(bytes) }
}

/** One alternation, longest first, so that a secret within a longer one never leaves the longer one's rest behind. */
function replacer(names: Map<string, string>): (text: string) => string {
  if (names.size === 0) return (text) => text
  const forms = [...names.keys()].sort((a, b) => b.length - a.length || (a < b ? -1 : 1))
  const any = new RegExp(forms.map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g')
  return (text) => text.replace(any, (form) => names.get(form) ?? redacted)
}

function redactJson<T>(value: T, text: (value: string) => string): T {
  const walk = (part: unknown, secret: boolean): unknown => {
    if (typeof part === 'string') return secret && part !== '' ? redacted : text(part)
    if (Array.isArray(part)) return part.map((item) => walk(item, secret))
    if (part === null || typeof part !== 'object') return part
    return Object.fromEntries(
      Object.entries(part).map(([key, inner]) => [text(key), walk(inner, secret || hides(part, key))]),
    )
  }
  return walk(value, false) as T
}

/** `{authorization: …}`, and the pairs of HAR: `{name: 'Cookie', value: …}`. */
function hides(holder: object, key: string): boolean {
  if (secretField.test(key)) return true
  return key === 'value' && 'name' in holder && typeof holder.name === 'string' && secretField.test(holder.name)
}
