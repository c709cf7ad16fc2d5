import type { Product } from '../catalogue.ts'
import { type Html, html, money } from '../html.ts'

/** A product in a list. */
export function card(item: Product): Html {
  return html`<li class="card">
<a href="/products/${item.slug}"><img src="/art/${item.slug}.svg" alt="" width="200" height="200"><span class="name">${item.name}</span></a>
<p><span class="muted">${item.category}</span><span class="price">${money(item.price)}</span></p>
</li>`
}
