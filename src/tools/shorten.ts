/** What an agent's client still reads whole: about 20,000 tokens. */
export const maxAnswerBytes = 80_000

const stringLimits = [16_000, 4_000, 1_000, 250]
const listLimits = [500, 100, 20, 5]

/** An answer small enough to send, and whether something had to go. Lists are capped long before this: it is the net below. */
export function shorten<Answer extends object>(answer: Answer, size: number): { answer: Answer; cut: boolean } {
  if (size <= maxAnswerBytes) return { answer, cut: false }
  for (const limit of stringLimits) {
    const shorter = cutStrings(answer, limit) as Answer
    if (byteLength(shorter) <= maxAnswerBytes) return { answer: shorter, cut: true }
  }
  for (const limit of listLimits) {
    const shorter = cutLists(cutStrings(answer, stringLimits.at(-1)!), limit) as Answer
    if (byteLength(shorter) <= maxAnswerBytes) return { answer: shorter, cut: true }
  }
  return { answer: cutLists(cutStrings(answer, 50), 1) as Answer, cut: true }
}

/** The beginning of a text that is too long. */
export function shortenText(text: string): { text: string; cut: boolean } {
  if (text.length * 3 <= maxAnswerBytes || Buffer.byteLength(text) <= maxAnswerBytes) return { text, cut: false }
  const bytes = Buffer.from(text).subarray(0, maxAnswerBytes)
  return { text: bytes.toString('utf8').replace(/�+$/, ''), cut: true }
}

const byteLength = (value: unknown) => Buffer.byteLength(JSON.stringify(value))

function cutStrings(value: unknown, limit: number): unknown {
  if (typeof value === 'string')
    return value.length > limit
      ? `${value.slice(0, limit).toWellFormed()}… [${value.length - limit} more characters]`
      : value
  return mapInside(value, (inner) => cutStrings(inner, limit))
}

function cutLists(value: unknown, limit: number): unknown {
  return mapInside(Array.isArray(value) ? value.slice(0, limit) : value, (inner) => cutLists(inner, limit))
}

function mapInside(value: unknown, change: (inner: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(change)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, change(inner)]))
}
