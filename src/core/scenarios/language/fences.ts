import type { Value } from '../plan.ts'
import type { Report } from './problem.ts'
import { type Reference, scanOf } from './scanner.ts'
import { literalText, readReference, valueParts } from './values.ts'

/** A fenced block as it stands in the source: each line without its indentation, and where it starts. */
export interface Fence {
  language: string
  lines: { text: string; start: number }[]
  start: number
  end: number
}

/** A fenced block, read. */
export interface Body {
  value: Value
  content_type: string
}

const contentTypes: Readonly<Record<string, string>> = {
  json: 'application/json',
  html: 'text/html',
  xml: 'application/xml',
  svg: 'image/svg+xml',
  css: 'text/css',
  csv: 'text/csv',
  js: 'text/javascript',
  javascript: 'text/javascript',
  text: 'text/plain',
  txt: 'text/plain',
  form: 'application/x-www-form-urlencoded',
}

/** The text of a block. `${…}` is a reference, `\${` is not; every other backslash is the body's own. */
export function readFence(source: string, fence: Fence, references: Reference[], report: Report): Body {
  const parts = valueParts()
  for (const [index, { text, start }] of fence.lines.entries()) {
    if (index > 0) parts.text('\n')
    readLine(source, text, start, parts, references, report)
  }
  const value = parts.value()
  const content_type = contentTypes[fence.language] ?? guessContentType(value)
  if (fence.language === 'json' && typeof value === 'string' && !isJson(value)) {
    report({
      code: 'MOLAR_S003',
      message: 'This block says json and is not.',
      start: fence.start,
      end: fence.end,
      suggestions: [],
    })
  }
  return { value, content_type }
}

function readLine(
  source: string,
  text: string,
  start: number,
  parts: ReturnType<typeof valueParts>,
  references: Reference[],
  report: Report,
): void {
  let from = 0
  for (let at = text.indexOf('${'); at !== -1; at = text.indexOf('${', from)) {
    if (text[at - 1] === '\\') {
      parts.text(`${text.slice(from, at - 1)}\${`)
      from = at + 2
      continue
    }
    const scan = scanOf(source, start + at, start + text.length)
    const reference = readReference(scan, start + at)
    parts.text(text.slice(from, at))
    if (!reference) {
      if (scan.furthest.refusal) report(scan.furthest.refusal)
      from = text.length
      return
    }
    parts.reference(reference.name)
    references.push(...scan.references)
    from = reference.end - start
  }
  parts.text(text.slice(from))
}

/** JSON where the text begins like JSON and no language was said, else plain text. */
export function guessContentType(value: Value): string {
  const first = literalText(value).trimStart()[0]
  return first === '{' || first === '[' ? 'application/json' : 'text/plain'
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
