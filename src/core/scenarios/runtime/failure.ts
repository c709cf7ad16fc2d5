/** Something close to what was sought: how it reads, how a scenario would name it, and why it is offered. */
export interface Candidate {
  description: string
  locator: string
  why: string
}

export interface FailureDetails {
  expected?: string
  actual?: string
  candidates?: Candidate[]
  hint?: string
  /** The page did not even answer: there is no sense in asking it more. */
  unresponsive?: boolean
}

export type FailureKind = 'assertion' | 'action' | 'environment'

/** Why a step did not hold. Its texts never carry the value of a secret once they leave `session.run`. */
export class StepFailure extends Error {
  readonly kind: FailureKind
  readonly expected?: string
  readonly actual?: string
  readonly candidates?: Candidate[]
  readonly hint?: string
  readonly unresponsive?: boolean
  constructor(kind: FailureKind, message: string, details: FailureDetails = {}) {
    super(message)
    this.name = 'StepFailure'
    this.kind = kind
    if (details.expected !== undefined) this.expected = details.expected
    if (details.actual !== undefined) this.actual = details.actual
    if (details.candidates !== undefined) this.candidates = details.candidates
    if (details.hint !== undefined) this.hint = details.hint
    if (details.unresponsive !== undefined) this.unresponsive = details.unresponsive
  }
}

const longestText = 2000

/** Replaces every secret's value, also as it stands in a URL or in JSON, by `${secrets.NAME}`. */
export function redactText(text: string, secrets: Record<string, string>): string {
  const forms = Object.entries(secrets).flatMap(([name, value]) =>
    secretForms(value).map((form) => ({ form, shown: `\${secrets.${name}}` })),
  )
  // The longest first: a secret that contains another one must not leave its rest behind.
  forms.sort((a, b) => b.form.length - a.form.length)
  return replaceForms(text, forms)
}

function secretForms(value: string): string[] {
  if (value === '') return []
  const folded = value.replace(/\s+/g, ' ').trim()
  const forms = [value, folded, JSON.stringify(value).slice(1, -1), ...urlForms(value)]
  return [...new Set(forms)].filter((form) => form !== '')
}

// Fully encoded, as a form sends it, and as browsers leave it in a query, a path or after the hash.
function urlForms(value: string): string[] {
  const url = new URL('http://x')
  url.search = value
  url.pathname = value
  url.hash = value
  const encoded = encodeURIComponent(value.toWellFormed())
  return [
    encoded,
    new URLSearchParams({ v: value }).toString().slice(2),
    ...[url.search, url.pathname, url.hash].map((part) => part.slice(1)),
  ]
}

// One pass from left to right: what was put in is never searched again, so a short secret cannot eat a replacement.
function replaceForms(text: string, forms: { form: string; shown: string }[]): string {
  if (!forms.some(({ form }) => text.includes(form))) return text
  let result = ''
  let position = 0
  while (position < text.length) {
    const hit = forms.find(({ form }) => text.startsWith(form, position))
    result += hit ? hit.shown : text[position]
    position += hit ? hit.form.length : 1
  }
  return result
}

/** The same failure, fit to be stored: secrets replaced first, then bounded, so that no half of a secret is left. */
export function redactFailure(failure: StepFailure, secrets: Record<string, string>): StepFailure {
  const clean = (text: string) => clipText(redactText(text, secrets), longestText)
  const details: FailureDetails = {}
  if (failure.expected !== undefined) details.expected = clean(failure.expected)
  if (failure.actual !== undefined) details.actual = clean(failure.actual)
  if (failure.hint !== undefined) details.hint = clean(failure.hint)
  if (failure.unresponsive !== undefined) details.unresponsive = failure.unresponsive
  details.candidates = failure.candidates?.map((one) => ({
    description: clean(one.description),
    locator: clean(one.locator),
    why: clean(one.why),
  }))
  return new StepFailure(failure.kind, clean(failure.message), details)
}

export function clipText(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text
}

/** What went wrong inside Playwright, in one line: without its call log and its colours. */
export function plainReason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Playwright colours its call logs
  const uncoloured = text.replace(/\u001b\[\d+m/g, '')
  const [first = ''] = uncoloured.split('\n')
  return first.replace(/^[a-zA-Z]+\.[a-zA-Z]+: (Error: )?/, '').trim()
}

/** True where Playwright gave up waiting. */
export function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError'
}
