import { deliveries } from '../cart.ts'
import { day, type Html, html, money } from '../html.ts'
import type { Order } from '../orders.ts'
import type { Visit } from '../visit.ts'
import { sums } from './cart.ts'
import { bare, layout } from './layout.ts'

export function ordersPage(visit: Visit, orders: Order[]) {
  const row = (order: Order) => html`<tr>
<td><a href="/orders/${order.id}">Order ${order.id}</a></td>
<td><time datetime="${order.placed_at}">${day(order.placed_at)}</time></td>
<td><span class="badge ${order.status.toLowerCase()}">${order.status}</span></td>
<td class="price">${money(order.total)}</td>
</tr>`
  const list = html`<table class="panel" aria-label="Orders"><thead><tr><th>Order</th><th>Placed</th><th>Status</th><th>Total</th></tr></thead><tbody>${orders.map(row)}</tbody></table>`
  const none = html`<div class="panel empty"><p>You have not ordered anything yet.</p><a class="button" href="/products">Find something</a></div>`
  return layout(visit, 'Orders', html`<h1>Orders</h1>${orders.length ? list : none}`)
}

function lines(order: Order): Html {
  const rows = order.lines.map(
    (line) =>
      html`<tr><td>${line.name} <span class="muted">${line.size}${line.gift_wrap && ', gift-wrapped'}</span></td><td>${line.quantity}</td><td class="price">${money(line.amount)}</td></tr>`,
  )
  const discount: [string, number][] = order.discount ? [['Discount', -order.discount]] : []
  return html`<table aria-label="Lines"><thead><tr><th>Product</th><th>Quantity</th><th>Amount</th></tr></thead><tbody>${rows}</tbody></table>
${sums([['Goods', order.goods], ...discount, [`Delivery, ${deliveries[order.how].name}`, order.delivery], ['Total', order.total, 'total']])}`
}

function addressOf({ address }: Order): Html {
  return html`<address>${address.name}<br>${address.street}<br>${address.postcode} ${address.city}<br>${address.country}</address>`
}

export function orderPage(visit: Visit, order: Order) {
  const thanks = visit.url.searchParams.has('thanks')
  const content = html`${thanks && html`<p class="banner good" role="status"><b>Thank you!</b> We are packing your order.</p>`}
<nav class="crumbs" aria-label="Breadcrumb"><a href="/orders">All orders</a></nav>
<h1>Order ${order.id}</h1>
<p class="row"><span class="badge ${order.status.toLowerCase()}" data-testid="order-status">${order.status}</span> <time datetime="${order.placed_at}">${day(order.placed_at)}</time> <button type="button" class="plain" data-do="copy" data-text="${order.id}">Copy order number</button></p>
${order.reason && html`<p>Reason: ${order.reason}</p>`}
<div class="split">
<section class="panel">${lines(order)}</section>
<aside class="panel stack" aria-label="Documents">
<h2>Sent to</h2>${addressOf(order)}<p class="muted">Card ending in ${order.card}</p>
<h2>Documents</h2>
<a href="/orders/${order.id}/receipt.txt">Download receipt</a>
<a href="/orders/${order.id}/receipt.csv">Download CSV</a>
<a href="/orders/${order.id}/invoice" target="_blank">Open invoice</a>
${order.status === 'Paid' && html`<button type="button" class="button quiet" data-do="cancel" data-order="${order.id}">Cancel order</button>`}
</aside>
</div>`
  return layout(visit, `Order ${order.id}`, content, ['account'])
}

export function invoicePage(order: Order): Html {
  const content = html`<main class="invoice panel"><p class="brand">Field<b>house</b></p><h1>Invoice ${order.id}</h1><p>${day(order.placed_at)}</p>${addressOf(order)}${lines(order)}</main>`
  return bare(`Invoice ${order.id}`, content)
}
