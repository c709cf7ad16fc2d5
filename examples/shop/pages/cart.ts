import { type Line, totals } from '../cart.ts'
import { product } from '../catalogue.ts'
import { type Html, html, money } from '../html.ts'
import type { Visit } from '../visit.ts'
import { layout } from './layout.ts'

function row(line: Line): Html {
  return html`<tr data-line="${line.id}">
<td><button type="button" class="handle" draggable="true" aria-label="Move ${line.name}" title="Drag to reorder or to your wish list">⠿</button></td>
<td class="what"><img src="/art/${line.slug}.svg" alt="" width="56" height="56"><span><a href="/products/${line.slug}">${line.name}</a><br><span class="muted">${line.size}${line.gift_wrap && ', gift-wrapped'}</span></span></td>
<td><input class="small" id="quantity-${line.id}" type="number" min="1" max="20" value="${line.quantity}" aria-label="Quantity" data-change="quantity"></td>
<td class="price">${money(line.amount)}</td>
<td><button type="button" class="plain" data-do="remove" data-name="${line.name}">Remove</button></td>
</tr>`
}

/** Label and amount, one under the other. */
export function sums(rows: [name: string, cents: number, id?: string][]): Html {
  return html`<dl class="sums">${rows.map(([name, cents, id]) => html`<div ${name === 'Total' && html`class="total"`}><dt>${name}</dt><dd ${id && html`data-testid="${id}"`}>${money(cents)}</dd></div>`)}</dl>`
}

function summary(visit: Visit): Html {
  const { cart } = visit.session
  // The fee is not known before a delivery is chosen, so this is the sum of the goods and not yet the total to pay.
  const { goods, discount } = totals(cart, undefined, visit.bugs)
  return html`<aside class="panel" aria-label="Summary">
<h2>Summary</h2>
${sums([['Goods', goods, 'goods'], ...(cart.coupon ? [[`Coupon ${cart.coupon.code}`, -discount, 'discount'] as [string, number, string]] : []), ['Before delivery', goods - discount, 'before-delivery']])}
<form class="coupon" data-form="coupon" method="post">
<div class="field grow"><label for="code">Coupon code</label><input id="code" name="code" autocomplete="off" value="${cart.coupon?.code}"></div>
<button type="submit" class="button quiet">Apply</button>
</form>
<p class="wrong" id="coupon-wrong" role="alert" hidden></p>
<a class="button wide" href="/checkout">Check out</a>
</aside>`
}

function wishList(wishes: string[]): Html {
  const items = wishes.flatMap((slug) => product(slug) ?? [])
  return html`<section class="panel wishes" aria-label="Wish list" data-drop="wish">
<h2>Wish list</h2>
<ul aria-label="Wishes">${items.map((item) => html`<li><img src="/art/${item.slug}.svg" alt="" width="40" height="40"> <a href="/products/${item.slug}">${item.name}</a></li>`)}</ul>
<p class="muted">Drag something here to keep it for later.</p>
</section>`
}

export function cartPage(visit: Visit) {
  const { cart, wishes } = visit.session
  const filled = html`<div class="split">
<div class="stack">
<table class="lines" aria-label="Cart"><thead><tr><th><span class="hidden">Move</span></th><th>Product</th><th>Quantity</th><th>Amount</th><th><span class="hidden">Remove</span></th></tr></thead>
<tbody>${cart.lines.map(row)}</tbody></table>
${wishList(wishes)}
</div>
${summary(visit)}
</div>`
  const empty = html`<div class="stack"><div class="panel empty"><p>Your cart is empty.</p><a class="button" href="/products">Find something</a></div>${wishList(wishes)}</div>`
  const content = html`<h1>Your cart</h1><div id="cart">${cart.lines.length ? filled : empty}</div>`
  return layout(visit, 'Your cart', content, ['cart'])
}
