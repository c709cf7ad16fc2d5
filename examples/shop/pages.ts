import { customer } from './api.ts'
import { draw } from './art.ts'
import { product } from './catalogue.ts'
import { orderOf, receiptCsv, receiptText } from './orders.ts'
import { accountPage } from './pages/account.ts'
import { cartPage } from './pages/cart.ts'
import { cardFrame, checkoutPage } from './pages/checkout.ts'
import { homePage } from './pages/home.ts'
import { loginPage } from './pages/login.ts'
import { invoicePage, orderPage, ordersPage } from './pages/orders.ts'
import { productPage } from './pages/product.ts'
import { productsPage } from './pages/products.ts'
import { Refusal } from './refusal.ts'
import { attachment, page, type Routes, redirect, type Visit } from './visit.ts'

function wanted(slug: string | undefined) {
  const item = product(slug ?? '')
  if (!item) throw new Refusal(404, 'unknown_product', 'We do not sell that.')
  return item
}

const ownOrder = (visit: Visit) => orderOf(visit.session.orders, visit.params.id, customer(visit).email)

export const pages: Routes = {
  'GET /': (visit) => page(homePage(visit)),
  'GET /login': (visit) => page(loginPage(visit)),
  'GET /products': (visit) => page(productsPage(visit)),
  'GET /products/:slug': (visit) => page(productPage(visit, wanted(visit.params.slug))),
  'GET /cart': (visit) => page(cartPage(visit)),
  'GET /checkout': (visit) => {
    customer(visit)
    return visit.session.cart.lines.length ? page(checkoutPage(visit)) : redirect('/cart')
  },
  'GET /checkout/card': () => page(cardFrame()),
  'GET /orders': (visit) => {
    const { email } = customer(visit)
    const own = visit.session.orders.filter((order) => order.email === email)
    return page(ordersPage(visit, own.reverse()))
  },
  'GET /orders/:id': (visit) => page(orderPage(visit, ownOrder(visit))),
  'GET /orders/:id/invoice': (visit) => page(invoicePage(ownOrder(visit))),
  'GET /orders/:id/receipt.txt': (visit) => {
    const order = ownOrder(visit)
    return attachment(`receipt-${order.id}.txt`, 'text/plain; charset=utf-8', receiptText(order))
  },
  'GET /orders/:id/receipt.csv': (visit) => {
    const order = ownOrder(visit)
    return attachment(`receipt-${order.id}.csv`, 'text/csv; charset=utf-8', receiptCsv(order))
  },
  'GET /account': (visit) => page(accountPage(visit, customer(visit))),
  'GET /art/:slug': ({ params }) => {
    const headers = { 'content-type': 'image/svg+xml', 'cache-control': 'max-age=3600' }
    return { status: 200, headers, body: draw(wanted(params.slug?.replace(/\.svg$/, ''))) }
  },
  'GET /favicon.ico': () => ({ status: 204, headers: {}, body: '' }),
}
