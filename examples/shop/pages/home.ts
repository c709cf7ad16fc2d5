import { products } from '../catalogue.ts'
import { html } from '../html.ts'
import type { Visit } from '../visit.ts'
import { card } from './card.ts'
import { layout } from './layout.ts'

export function homePage(visit: Visit) {
  const content = html`<section class="hero">
<div>
<h1>Things that get better with use</h1>
<p>Eighteen well-made objects for the kitchen, the house and the walk between.</p>
<p class="row"><a class="button" href="/products">Browse the catalogue</a> <a class="button quiet" href="/products?category=Kitchen">Start in the kitchen</a></p>
</div>
<img src="/art/reading-lamp.svg" alt="" width="320" height="320">
</section>
<h2>Liked this week</h2>
<ul class="cards">${products.slice(0, 4).map(card)}</ul>`
  return layout(visit, 'Home', content)
}
