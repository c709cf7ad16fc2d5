import type { Bug } from './bugs.ts'
import { product } from './catalogue.ts'
import { Refusal } from './refusal.ts'

export interface Line {
  id: number
  slug: string
  name: string
  size: string
  quantity: number
  gift_wrap: boolean
  /** Cents for the whole line. */
  amount: number
}

export interface Cart {
  lines: Line[]
  coupon?: { code: string; percent: number }
  /** The id of the next line. */
  next: number
}

export const deliveries = {
  standard: { name: 'Standard', note: '2 to 4 days', fee: 490 },
  express: { name: 'Express', note: 'Tomorrow before noon', fee: 1290 },
  pickup: { name: 'Pick up', note: 'At a shop near you', fee: 0 },
} as const
export type Delivery = keyof typeof deliveries

/** What a delivery is called in requests, checked. */
export function delivery(value: unknown): Delivery {
  if (typeof value === 'string' && Object.hasOwn(deliveries, value)) return value as Delivery
  throw new Refusal(422, 'unknown_delivery', `Choose a delivery: ${Object.keys(deliveries).join(', ')}`)
}

const giftWrap = 350
const coupons: Record<string, number> = { WELCOME15: 15, FIELD10: 10 }
const expired = new Set(['SUMMER24'])

function price(line: Line): void {
  const each = (product(line.slug)?.price ?? 0) + (line.gift_wrap ? giftWrap : 0)
  line.amount = each * line.quantity
}

function quantity(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 20) return value
  throw new Refusal(422, 'bad_quantity', 'Choose a quantity between 1 and 20.')
}

/** Adds a line, or adds to the line of the same product, size and wrapping. */
export function add(cart: Cart, wanted: Record<string, unknown>): Line {
  const item = product(String(wanted.slug))
  if (!item) throw new Refusal(404, 'unknown_product', 'We do not sell that.')
  const size = wanted.size === undefined ? item.sizes[0] : item.sizes.find((known) => known === wanted.size)
  if (!size) throw new Refusal(422, 'unknown_size', `${item.name} comes in ${item.sizes.join(', ')}.`)
  const gift_wrap = wanted.gift_wrap === true
  const more = quantity(wanted.quantity ?? 1)
  const same = cart.lines.find((line) => line.slug === item.slug && line.size === size && line.gift_wrap === gift_wrap)
  const line = same ?? { id: cart.next++, slug: item.slug, name: item.name, size, quantity: 0, gift_wrap, amount: 0 }
  line.quantity = quantity(line.quantity + more)
  price(line)
  if (!same) cart.lines.push(line)
  return line
}

function lineOf(cart: Cart, id: string): Line {
  const line = cart.lines.find((one) => String(one.id) === id)
  if (!line) throw new Refusal(404, 'unknown_line', 'That is no longer in your cart.')
  return line
}

export function change(cart: Cart, id: string, wanted: unknown): Line {
  const line = lineOf(cart, id)
  line.quantity = quantity(wanted)
  price(line)
  return line
}

export function remove(cart: Cart, id: string): Line {
  const line = lineOf(cart, id)
  cart.lines = cart.lines.filter((one) => one !== line)
  return line
}

/** Moves the line to the place that the other one holds. */
export function move(cart: Cart, id: string, to: string): void {
  const line = lineOf(cart, id)
  const place = cart.lines.indexOf(lineOf(cart, to))
  cart.lines = cart.lines.filter((one) => one !== line)
  cart.lines.splice(place, 0, line)
}

export function redeem(cart: Cart, code: unknown): void {
  const name = String(code ?? '')
    .trim()
    .toUpperCase()
  if (!name) throw new Refusal(422, 'no_code', 'Enter a code.')
  if (expired.has(name)) throw new Refusal(410, 'expired', `${name} has expired.`)
  const percent = coupons[name]
  if (!percent) throw new Refusal(404, 'unknown_coupon', `There is no coupon ${name}.`)
  cart.coupon = { code: name, percent }
}

export interface Totals {
  goods: number
  discount: number
  delivery: number
  total: number
}

/** All in cents. */
export function totals(cart: Cart, how: Delivery | undefined, bugs: readonly Bug[]): Totals {
  const goods = cart.lines.reduce((sum, line) => sum + line.amount, 0)
  const round = bugs.find((bug) => bug.discount)?.discount ?? ((cents, percent) => Math.round((cents * percent) / 100))
  const discount = cart.coupon ? round(goods, cart.coupon.percent) : 0
  const fee = how ? deliveries[how].fee : 0
  const sum = bugs.find((bug) => bug.total)?.total ?? ((parts) => parts.goods - parts.discount + parts.delivery)
  return { goods, discount, delivery: fee, total: sum({ goods, discount, delivery: fee }) }
}
