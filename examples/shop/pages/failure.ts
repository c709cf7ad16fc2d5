import { html } from '../html.ts'
import type { Refusal } from '../refusal.ts'
import type { Visit } from '../visit.ts'
import { layout } from './layout.ts'

export function failurePage(visit: Visit, wrong: Refusal) {
  const title = wrong.status === 404 ? 'Not found' : 'That did not work'
  const content = html`<section class="empty"><h1>${title}</h1><p>${wrong.message}</p><a class="button" href="/products">Back to the catalogue</a></section>`
  return layout(visit, title, content)
}
