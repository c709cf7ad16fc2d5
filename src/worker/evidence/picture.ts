import type { Locator, Page } from 'playwright-core'
import { unseen } from '../../core/scenarios/runtime/unseen.ts'
import { within } from './deadline.ts'

/** Fields whose content no picture may show, whoever filled them. */
const secretFields =
  'input[type=password], [autocomplete~=current-password], [autocomplete~=new-password], [autocomplete~=one-time-code], [autocomplete^=cc-]'
const remembered = 40

export interface Masks {
  /** Call before a secret is typed into `field`: its text is drawn as dots from then on, in pictures and in the trace's film strip. */
  add(field: Locator): Promise<void>
  /** Whether the page itself calls `field` a password. */
  isPassword(field: Locator): Promise<boolean>
  /** What to cover on this page; empty where there is nothing. */
  on(page: Page): Promise<Locator[]>
}

/** Keeps in mind which fields hold secrets. `selectors` are CSS of more things to cover. */
export function masksFor(selectors: readonly string[]): Masks {
  const always = [secretFields, ...selectors].join(', ')
  const filled: Locator[] = []
  return {
    async add(field) {
      filled.push(field)
      if (filled.length > remembered) filled.shift()
      // The film strip knows no masks, so the page itself must draw dots; a password field does so already.
      await field.evaluate(drawDots, undefined, { timeout: 1000 }).catch(() => undefined)
    },
    isPassword: (field) => field.evaluate(hasPasswordType, undefined, { timeout: 1000 }).catch(() => false),
    async on(page) {
      const here = filled.filter((field) => field.page() === page)
      // Covering costs as much as the picture itself, asking first next to nothing.
      const found = await unseen(page, () => page.locator(always).count())
      return found > 0 ? [page.locator(always), ...here] : here
    },
  }
}

function hasPasswordType(element: Element): boolean {
  return element instanceof HTMLInputElement && element.type === 'password'
}

function drawDots(element: Element): void {
  if (element instanceof HTMLElement) element.style.setProperty('-webkit-text-security', 'disc', 'important')
}

/** The viewport as a JPEG, secrets covered; undefined when the page does not hold still for 1.5 s: a picture never fails a step. */
export async function takePicture(page: Page, masks: Masks): Promise<Buffer | undefined> {
  if (page.isClosed()) return undefined
  // Playwright's own timeout does not cover a browser that is gone for good.
  return within(2500, shoot(page, masks))
}

async function shoot(page: Page, masks: Masks): Promise<Buffer> {
  const mask = await masks.on(page)
  return page.screenshot({
    type: 'jpeg',
    quality: 75,
    timeout: 1500,
    scale: 'css',
    caret: 'initial',
    ...(mask.length > 0 ? { mask, maskColor: '#808080' } : {}),
  })
}
