import type { Page } from 'playwright-core'
import { unseen } from '../../core/scenarios/runtime/unseen.ts'
import { clip } from './bounded.ts'
import { within } from './deadline.ts'
import type { Redactor } from './redact.ts'

const outlineLimit = 8000
const dots = '••••'
const htmlLimit = 2 * 2 ** 20

/** What a context's pages say to those who cannot see them: without secrets, and passwords as dots. */
export function outliner(redact: Redactor) {
  const passwords = new Set<string>()
  const clean = (aria: string) => clip(withoutPasswords(aria, passwords), outlineLimit, redact)
  return {
    clean,
    /** Undefined when the page does not answer within `patienceMs`. */
    async of(page: Page, patienceMs: number): Promise<string | undefined> {
      const aria = await within(
        patienceMs,
        unseen(page, async () => {
          const outline = () => page.ariaSnapshot({ timeout: patienceMs - 50 })
          // Answered in this order: no outline without what stands in its password fields. Most pages have none.
          const [fields, plain] = await Promise.all([page.locator('css=input[type=password]').count(), outline()])
          if (fields === 0) return plain
          const [shown, aria] = await Promise.all([page.evaluate(passwordsShown), outline()])
          for (const password of shown) {
            passwords.add(password.trim())
            redact.learnPassword(password)
          }
          return aria
        }),
      )
      return aria === undefined ? undefined : clean(aria)
    },
  }
}

/** Runs in the page, also through what components hide; a locator would load all of Playwright's script there first. */
function passwordsShown(): string[] {
  const within = (root: Document | ShadowRoot): string[] => [
    ...[...root.querySelectorAll('input')].filter(({ type }) => type === 'password').map(({ value }) => value),
    ...[...root.querySelectorAll('*')].flatMap(({ shadowRoot }) => (shadowRoot ? within(shadowRoot) : [])),
  ]
  return within(document).filter((value) => value !== '')
}

/** An outline tells a field's content behind its name: `- textbox "Password": hunter2`. */
function withoutPasswords(aria: string, passwords: ReadonlySet<string>): string {
  if (passwords.size === 0) return aria
  const ends = [...passwords].flatMap((value) => [`: ${value}`, `: ${JSON.stringify(value)}`])
  const hide = (line: string) => {
    const end = /^ *- textbox\b/.test(line) && ends.find((one) => line.endsWith(one))
    return end ? `${line.slice(0, -end.length)}: ${dots}` : line
  }
  return aria.split('\n').map(hide).join('\n')
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
