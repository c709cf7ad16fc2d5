import type { Product } from '../catalogue.ts'
import { type Html, html, money } from '../html.ts'
import type { Review } from '../sessions.ts'
import type { Visit } from '../visit.ts'
import { layout } from './layout.ts'

const stars = (count: number) =>
  html`<span class="stars" role="img" aria-label="${count} of 5 stars">${'★'.repeat(count)}${'☆'.repeat(5 - count)}</span>`

function review(item: Review): Html {
  return html`<li><article>${stars(item.stars)} <b>${item.by}</b><p>${item.text}</p>${item.photo && html`<img class="photo" src="${item.photo}" alt="Photo by ${item.by}">`}</article></li>`
}

function buy(item: Product): Html {
  return html`<form class="buy" data-form="add" data-slug="${item.slug}" method="post">
<div class="row">
<div class="field"><label for="size">Size</label><select id="size" name="size">${item.sizes.map((size) => html`<option>${size}</option>`)}</select></div>
<div class="field"><label for="quantity">Quantity</label><input id="quantity" name="quantity" type="number" min="1" max="20" value="1" required></div>
<span class="hint"><button type="button" class="plain" aria-describedby="guide">Size guide</button><span role="tooltip" id="guide">If you are between two sizes, take the larger one.</span></span>
</div>
<label class="check"><input type="checkbox" name="gift_wrap"> Gift-wrap it <span class="muted">+ €3.50 each</span></label>
<button type="submit" data-testid="add-to-cart" class="button">Add to cart</button>
</form>`
}

function reviewForm(item: Product): Html {
  return html`<form class="review" data-form="review" data-slug="${item.slug}" method="post" aria-label="Write a review">
<div class="row">
<div class="field"><label for="stars">Stars</label><select id="stars" name="stars">${[5, 4, 3, 2, 1].map((count) => html`<option>${count}</option>`)}</select></div>
<div class="field grow"><label for="text">Your review</label><textarea id="text" name="text" rows="2" required></textarea></div>
</div>
<div class="field"><label for="photo">Photo</label><input id="photo" name="photo" type="file" accept="image/*"></div>
<img id="preview" class="photo" alt="Photo preview" hidden>
<button type="submit" class="button quiet">Publish review</button>
</form>`
}

function tabs(item: Product, reviews: Review[]): Html {
  const panels: [key: string, name: string, content: Html][] = [
    [
      'details',
      'Details',
      html`<p>${item.blurb} Made in small batches and repaired for free in the first five years.</p>`,
    ],
    [
      'delivery',
      'Delivery',
      html`<p>Standard takes 2 to 4 days for €4.90, express comes tomorrow for €12.90. Picking it up is free.</p>`,
    ],
    [
      'reviews',
      'Reviews',
      html`<ul class="reviews" id="reviews" aria-label="Reviews">${reviews.map(review)}</ul>${!reviews.length && html`<p class="muted">No reviews yet.</p>`}${reviewForm(item)}`,
    ],
  ]
  return html`<section class="panel">
<div role="tablist" aria-label="About ${item.name}">
${panels.map(([key, name], at) => html`<button type="button" role="tab" id="tab-${key}" aria-controls="panel-${key}" aria-selected="${at === 0 ? 'true' : 'false'}" ${at > 0 && html`tabindex="-1"`}>${name}</button>`)}
</div>
${panels.map(([key, , content], at) => html`<div role="tabpanel" id="panel-${key}" aria-labelledby="tab-${key}" ${at > 0 && html`hidden`}>${content}</div>`)}
</section>`
}

export function productPage(visit: Visit, item: Product) {
  const content = html`<nav class="crumbs" aria-label="Breadcrumb"><a href="/products">All products</a> / <a href="/products?category=${item.category}">${item.category}</a></nav>
<section class="product">
<img class="picture" src="/art/${item.slug}.svg" alt="${item.name}" title="Double-click to enlarge" width="420" height="420">
<div>
<h1>${item.name}</h1>
<p class="price big" data-testid="price">${money(item.price)}</p>
<p>${item.blurb}</p>
<p class="stock" role="status" data-testid="stock" data-stock="${item.slug}">${item.stock} in stock</p>
${buy(item)}
</div>
</section>
${tabs(item, visit.session.reviews[item.slug] ?? [])}`
  return layout(visit, item.name, content, ['product'])
}
