import type { Bug } from './bugs.ts'
import { type Cart, type Delivery, deliveries, delivery, type Line, type Totals, totals } from './cart.ts'
import { money } from './html.ts'
import { Refusal } from './refusal.ts'

export interface Address {
  name: string
  street: string
  postcode: string
  city: string
  country: string
}

export interface Order extends Totals {
  id: number
  email: string
  /** ISO instant. */
  placed_at: string
  status: 'Paid' | 'Delivered' | 'Cancelled'
  reason?: string
  lines: Line[]
  how: Delivery
  address: Address
  /** The last four digits. */
  card: string
}

const wanted = ['name', 'street', 'postcode', 'city', 'country'] as const

function address(value: unknown): Address {
  const given = (value ?? {}) as Record<string, unknown>
  const missing = wanted.filter((key) => typeof given[key] !== 'string' || !given[key].trim())
  if (missing.length) throw new Refusal(422, 'bad_address', `Please fill in: ${missing.join(', ')}.`)
  return Object.fromEntries(wanted.map((key) => [key, String(given[key]).trim()])) as unknown as Address
}

/** Turns the cart into a paid order and empties it. `card` is the token that the card frame gave: `tok_` and four digits. */
export function place(
  orders: Order[],
  cart: Cart,
  email: string,
  body: Record<string, unknown>,
  bugs: readonly Bug[],
): Order {
  if (!cart.lines.length) throw new Refusal(409, 'empty_cart', 'Your cart is empty.')
  const how = delivery(body.delivery)
  const to = address(body.address)
  const card = /^tok_(\d{4})$/.exec(String(body.card))?.[1]
  if (!card) throw new Refusal(422, 'bad_card', 'Check the card number.')
  if (card === '0002') throw new Refusal(402, 'declined', 'Your card was declined.')
  const order: Order = {
    ...totals(cart, how, bugs),
    id: Math.max(1000, ...orders.map((one) => one.id)) + 1,
    email,
    placed_at: new Date().toISOString(),
    status: 'Paid',
    lines: cart.lines,
    how,
    address: to,
    card,
  }
  orders.push(order)
  cart.lines = []
  delete cart.coupon
  return order
}

/** The order of this id that belongs to this customer. */
export function orderOf(orders: Order[], id: string | undefined, email: string): Order {
  const order = orders.find((one) => String(one.id) === id && one.email === email)
  if (!order) throw new Refusal(404, 'unknown_order', 'There is no such order.')
  return order
}

export function cancel(order: Order, reason: unknown): void {
  if (order.status !== 'Paid')
    throw new Refusal(409, 'not_open', `This order is ${order.status.toLowerCase()} already.`)
  order.status = 'Cancelled'
  order.reason =
    String(reason ?? '')
      .trim()
      .slice(0, 200) || 'no reason given'
}

export function receiptText(order: Order): string {
  const row = (name: string, amount: string) => `${name.padEnd(36)}${amount.padStart(12)}`
  return [
    'Fieldhouse',
    `Receipt for order ${order.id}, ${order.placed_at.slice(0, 10)}`,
    '',
    ...order.lines.map((line) => row(`${line.quantity} x ${line.name}, ${line.size}`, money(line.amount))),
    ...(order.discount ? [row('Discount', money(-order.discount))] : []),
    row(`Delivery, ${deliveries[order.how].name}`, money(order.delivery)),
    row('Total', money(order.total)),
    '',
  ].join('\n')
}

export function receiptCsv(order: Order): string {
  const rows = order.lines.map((line) => [
    order.id,
    line.name,
    line.size,
    line.quantity,
    (line.amount / 100).toFixed(2),
  ])
  return [['order', 'product', 'size', 'quantity', 'amount'], ...rows].map((row) => `${row.join(',')}\r\n`).join('')
}

/** An order from before, so that the list is not empty at the first visit. */
export function pastOrder(email: string): Order {
  const line = {
    id: 1,
    slug: 'wall-clock',
    name: 'Wall clock',
    size: 'One size',
    quantity: 1,
    gift_wrap: false,
    amount: 5900,
  }
  return {
    id: 1001,
    email,
    placed_at: '2026-01-12T09:30:00.000Z',
    status: 'Delivered',
    lines: [line],
    how: 'standard',
    address: {
      name: 'Ada Lovelace',
      street: 'St James’s Square 12',
      postcode: 'SW1Y 4JH',
      city: 'London',
      country: 'United Kingdom',
    },
    card: '4242',
    goods: 5900,
    discount: 0,
    delivery: 490,
    total: 6390,
  }
}
