import { deliveries, totals } from '../cart.ts'
import { type Html, html, money } from '../html.ts'
import type { Visit } from '../visit.ts'
import { sums } from './cart.ts'
import { bare, layout } from './layout.ts'

function field(id: string, name: string, autocomplete: string): Html {
  return html`<div class="field"><label for="${id}">${name}</label><input id="${id}" name="${id}" autocomplete="${autocomplete}" required></div>`
}

const countries = ['Germany', 'France', 'Netherlands', 'United Kingdom', 'United States']

const address = html`<fieldset class="panel"><legend>Address</legend>
${field('name', 'Full name', 'name')}
${field('street', 'Street and number', 'street-address')}
<div class="row">${field('postcode', 'Postcode', 'postal-code')}${field('city', 'City', 'address-level2')}</div>
<div class="field"><label for="country">Country</label><select id="country" name="country">${countries.map((name) => html`<option>${name}</option>`)}</select></div>
</fieldset>`

const delivery = html`<fieldset class="panel"><legend>Delivery</legend>
${Object.entries(deliveries).map(
  ([key, { name, note, fee }]) =>
    html`<label class="choice"><input type="radio" name="delivery" value="${key}" aria-label="${name}" ${key === 'standard' && html`checked`}><span><b>${name}</b><br><span class="muted">${note}</span></span><span class="price">${fee ? money(fee) : 'Free'}</span></label>`,
)}
<p><button type="button" class="plain" data-do="nearest">Find the nearest shop</button> <span id="nearest" role="status"></span></p>
</fieldset>`

export function checkoutPage(visit: Visit) {
  const { cart } = visit.session
  const to = totals(cart, 'standard', visit.bugs)
  const content = html`<h1>Checkout</h1>
<form class="split" data-form="pay" method="post">
<div class="stack">
${address}
${delivery}
<section class="panel"><h2>Payment</h2><iframe id="card" title="Card payment" src="/checkout/card"></iframe></section>
</div>
<aside class="panel" aria-label="Your order">
<h2>Your order</h2>
<ul class="brief">${cart.lines.map((line) => html`<li>${line.quantity} × ${line.name}<span class="price">${money(line.amount)}</span></li>`)}</ul>
<div id="sums">${sums([['Goods', to.goods], ...(to.discount ? [['Discount', -to.discount] as [string, number]] : []), ['Delivery', to.delivery, 'delivery-fee'], ['Total', to.total, 'total']])}</div>
<p class="wrong" id="pay-wrong" role="alert" hidden></p>
<button type="submit" class="button wide">Pay now</button>
</aside>
</form>`
  return layout(visit, 'Checkout', content, ['checkout'])
}

/** The frame that alone sees the card: it answers the page around it with a token. */
export function cardFrame(): Html {
  const content = html`<form id="card-form" aria-label="Card">
<div class="field"><label for="number">Card number</label><input id="number" inputmode="numeric" autocomplete="cc-number" placeholder="4242 4242 4242 4242"></div>
<div class="row"><div class="field"><label for="expiry">Expiry</label><input id="expiry" autocomplete="cc-exp" placeholder="12 / 30"></div>
<div class="field"><label for="cvc">Security code</label><input id="cvc" inputmode="numeric" autocomplete="cc-csc" placeholder="123"></div></div>
<p class="wrong" id="card-wrong" role="alert" hidden></p>
</form>`
  return bare('Card payment', content, ['card'], 'frame')
}
