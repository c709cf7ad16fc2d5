import { add, change, type Delivery, delivery, move, redeem, remove, totals } from './cart.ts'
import { find, product } from './catalogue.ts'
import { cancel, orderOf, place } from './orders.ts'
import { Refusal } from './refusal.ts'
import { users } from './sessions.ts'
import { json, type Routes, type Visit } from './visit.ts'

function cartOf({ session, bugs }: Visit, how?: Delivery) {
  const { lines, coupon } = session.cart
  const pieces = lines.reduce((sum, line) => sum + line.quantity, 0)
  return { lines, coupon: coupon?.code ?? null, pieces, ...totals(session.cart, how, bugs), wishes: session.wishes }
}

/** Who is signed in; a 401 for anyone else. */
export function customer({ session }: Visit) {
  if (!session.user) throw new Refusal(401, 'signed_out', 'Please sign in.')
  return session.user
}

const cartRoutes: Routes = {
  'GET /api/cart': (visit) => {
    const how = visit.url.searchParams.get('delivery')
    return json(200, cartOf(visit, how === null ? undefined : delivery(how)))
  },
  'POST /api/cart': (visit) => {
    add(visit.session.cart, visit.body)
    return json(201, cartOf(visit))
  },
  'PATCH /api/cart/:line': (visit) => {
    change(visit.session.cart, visit.params.line ?? '', visit.body.quantity)
    return json(200, cartOf(visit))
  },
  'DELETE /api/cart/:line': (visit) => {
    remove(visit.session.cart, visit.params.line ?? '')
    return json(200, cartOf(visit))
  },
  'POST /api/cart/:line/move': (visit) => {
    move(visit.session.cart, visit.params.line ?? '', String(visit.body.to))
    return json(200, cartOf(visit))
  },
  'POST /api/cart/:line/wish': (visit) => {
    const { slug } = remove(visit.session.cart, visit.params.line ?? '')
    if (!visit.session.wishes.includes(slug)) visit.session.wishes.push(slug)
    return json(200, cartOf(visit))
  },
  'POST /api/coupon': (visit) => {
    const { cart } = visit.session
    const before = cart.coupon
    redeem(cart, visit.body.code)
    try {
      return json(200, cartOf(visit))
    } catch (error) {
      // A coupon that cannot be reckoned must not stay: every later page of the cart would fail too.
      if (before) cart.coupon = before
      else delete cart.coupon
      throw error
    }
  },
}

const orderRoutes: Routes = {
  'GET /api/orders': (visit) => {
    const { email } = customer(visit)
    return json(200, { items: visit.session.orders.filter((order) => order.email === email).reverse() })
  },
  'POST /api/orders': (visit) => {
    const { session, body, bugs } = visit
    return json(201, place(session.orders, session.cart, customer(visit).email, body, bugs))
  },
  'GET /api/orders/:id': (visit) => json(200, orderOf(visit.session.orders, visit.params.id, customer(visit).email)),
  'POST /api/orders/:id/cancel': (visit) => {
    const order = orderOf(visit.session.orders, visit.params.id, customer(visit).email)
    cancel(order, visit.body.reason)
    return json(200, order)
  },
}

const photo = /^data:image\/(png|jpeg|webp|gif);base64,[A-Za-z0-9+/=]+$/

const shopRoutes: Routes = {
  'GET /api/products': ({ url }) => json(200, find(url.searchParams)),
  'GET /api/stock': ({ url, session }) => {
    const item = product(url.searchParams.get('product') ?? '')
    if (!item) throw new Refusal(404, 'unknown_product', 'We do not sell that.')
    session.polls++
    return json(200, { product: item.slug, stock: Math.max(1, item.stock - Math.floor(session.polls / 5)) })
  },
  'POST /api/reviews': ({ session, body }) => {
    const { product: slug, text, photo: picture } = body
    const stars = Number(body.stars)
    if (!product(String(slug))) throw new Refusal(404, 'unknown_product', 'We do not sell that.')
    if (!(stars >= 1 && stars <= 5) || typeof text !== 'string' || !text.trim())
      throw new Refusal(422, 'bad_review', 'Give stars from 1 to 5 and a few words.')
    if (picture !== undefined && !photo.test(String(picture)))
      throw new Refusal(422, 'bad_photo', 'A photo is a PNG, JPEG, WebP or GIF file.')
    const review = {
      by: session.user?.name ?? 'A guest',
      stars,
      text: text.trim(),
      ...(picture ? { photo: String(picture) } : {}),
    }
    session.reviews[String(slug)] = [review, ...(session.reviews[String(slug)] ?? [])]
    return json(201, review)
  },
}

const accountRoutes: Routes = {
  'POST /api/login': ({ session, body }) => {
    const user = users.find(
      (one) => one.email === String(body.email).trim().toLowerCase() && one.password === body.password,
    )
    if (!user) throw new Refusal(401, 'wrong_login', 'That email and password do not match.')
    session.user = user
    return json(200, { user: { name: user.name, email: user.email } })
  },
  'POST /api/logout': ({ session }) => {
    delete session.user
    return json(204)
  },
  'GET /api/me': (visit) => {
    const { name, email } = customer(visit)
    return json(200, { user: { name, email }, settings: visit.session.settings })
  },
  'PUT /api/settings': (visit) => {
    customer(visit)
    const { digest, restock } = visit.body
    if (digest !== 'never' && digest !== 'daily' && digest !== 'weekly')
      throw new Refusal(422, 'bad_digest', 'A digest comes never, daily or weekly.')
    visit.session.settings = { digest, restock: restock === true }
    return json(200, visit.session.settings)
  },
  'POST /api/reset': ({ session, sessions }) => {
    sessions.reset(session)
    return json(204)
  },
}

export const api: Routes = { ...cartRoutes, ...orderRoutes, ...shopRoutes, ...accountRoutes }
