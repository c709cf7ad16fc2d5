import { categories, find, sorts } from '../catalogue.ts'
import { type Html, html } from '../html.ts'
import type { Visit } from '../visit.ts'
import { card } from './card.ts'
import { layout } from './layout.ts'

function option(value: string, name: string, chosen: string | null): Html {
  return html`<option value="${value}" ${value === (chosen ?? '') && html`selected`}>${name}</option>`
}

function pager(query: URLSearchParams, page: number, pages: number): Html | undefined {
  if (pages === 1) return undefined
  const to = (number: number) => {
    const next = new URLSearchParams([...query].filter(([, value]) => value))
    next.set('page', String(number))
    return `/products?${next}`
  }
  const numbers = Array.from({ length: pages }, (_, at) => at + 1)
  return html`<nav class="pager" aria-label="Pages">
${page > 1 && html`<a href="${to(page - 1)}">Previous</a>`}
${numbers.map((at) => html`<a href="${to(at)}" aria-label="Page ${at}" ${at === page && html`aria-current="page"`}>${at}</a>`)}
${page < pages && html`<a href="${to(page + 1)}">Next</a>`}
</nav>`
}

export function productsPage(visit: Visit) {
  const query = visit.url.searchParams
  const { items, total, page, pages } = find(query)
  const content = html`<h1>Catalogue</h1>
<form class="filters" role="search" data-form="search" action="/products">
<div class="field grow"><label for="q">Search</label><input id="q" name="q" type="search" placeholder="Linen, lamp, a gift…" value="${query.get('q')}" aria-keyshortcuts="Control+K"></div>
<div class="field"><label for="category">Category</label><select id="category" name="category">${option('', 'All', query.get('category'))}${categories.map((name) => option(name, name, query.get('category')))}</select></div>
<div class="field"><label for="sort">Sort by</label><select id="sort" name="sort">${Object.entries(sorts).map(([key, name]) => option(key, name, query.get('sort')))}</select></div>
<button type="submit" class="button">Find</button>
</form>
<section id="results" aria-label="Results">
<p role="status" data-testid="result-count">${total === 1 ? '1 product' : `${total} products`}</p>
${total === 0 && html`<p class="empty">Nothing matches. Try fewer words, or another category.</p>`}
<ul class="cards" aria-label="Products">${items.map(card)}</ul>
${pager(query, page, pages)}
</section>`
  return layout(visit, 'Catalogue', content, ['catalogue'])
}
