import type { Page } from 'playwright-core'
import { clip } from './bounded.ts'
import { within } from './deadline.ts'
import type { Redactor } from './redact.ts'

const outlineLimit = 8000
const htmlLimit = 2 * 2 ** 20

/** What the page says to those who cannot see it; undefined when it does not answer within 500 ms. */
export async function outlineOf(page: Page, redact: Redactor): Promise<string | undefined> {
  const aria = await within(500, page.locator('css=body').ariaSnapshot({ timeout: 450 }))
  return aria ? clip(aria, outlineLimit, redact) : undefined
}

/** The page's DOM as HTML, without what stands in password fields; undefined when it does not answer in time. */
export async function htmlOf(page: Page, redact: Redactor): Promise<Buffer | undefined> {
  const html = await within(1500, page.evaluate(serialize))
  return html && html.length <= htmlLimit ? redact.bytes(Buffer.from(html)) : undefined
}

function serialize(): string {
  const copy = document.documentElement.cloneNode(true) as HTMLElement
  for (const field of copy.querySelectorAll('input[type=password i]')) field.removeAttribute('value')
  return `<!doctype html>\n${copy.outerHTML}`
}
