/** Markup that is safe to send as it is. */
export interface Html {
  readonly html: string
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function piece(value: unknown): string {
  if (value === undefined || value === null || value === false) return ''
  if (Array.isArray(value)) return value.map(piece).join('')
  if (typeof value === 'object' && 'html' in value) return String(value.html)
  return String(value).replace(/[&<>"']/g, (sign) => entities[sign] ?? sign)
}

/** Template tag: escapes every value except Html; undefined, null and false print nothing; lists are joined. */
export function html(strings: TemplateStringsArray, ...values: unknown[]): Html {
  return { html: strings.reduce((text, string, at) => text + piece(values[at - 1]) + string) }
}

/** Cents as people read them: 1490 → "€14.90". */
export function money(cents: number): string {
  return `${cents < 0 ? '−' : ''}€${(Math.abs(cents) / 100).toFixed(2)}`
}

/** An ISO instant as a day in words: "21 November 2026", UTC. */
export function day(iso: string): string {
  return new Date(iso).toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' })
}
