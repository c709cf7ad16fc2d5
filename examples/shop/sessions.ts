import { randomBytes } from 'node:crypto'
import type { Cart } from './cart.ts'
import { type Order, pastOrder } from './orders.ts'

export interface User {
  name: string
  email: string
  password: string
}

export const users: readonly User[] = [
  { name: 'Ada Lovelace', email: 'ada@example.com', password: 'correct-horse-battery' },
  { name: 'Grace Hopper', email: 'grace@example.com', password: 'nanoseconds-of-wire' },
]

export interface Review {
  by: string
  stars: number
  text: string
  /** A data URL. */
  photo?: string
}

/** All that one browser sees: nothing is shared, so that runs side by side do not meet. */
export interface Session {
  id: string
  user?: User
  cart: Cart
  /** Product slugs. */
  wishes: string[]
  orders: Order[]
  /** By product slug, newest first. */
  reviews: Record<string, Review[]>
  settings: { digest: 'never' | 'daily' | 'weekly'; restock: boolean }
  /** How often stock was asked for: the figure falls slowly, as it would with other customers. */
  polls: number
}

function begin(id: string): Session {
  return {
    id,
    cart: { lines: [], next: 1 },
    wishes: ['wool-throw'],
    orders: [pastOrder('ada@example.com')],
    reviews: { 'enamel-mug': [{ by: 'Grace Hopper', stars: 5, text: 'Survived a camping trip and two children.' }] },
    settings: { digest: 'weekly', restock: false },
    polls: 0,
  }
}

export interface Sessions {
  /** The session of this id; a new one where there is none. */
  of(id: string | undefined): Session
  /** Back to how it was when it began, with the same id. */
  reset(session: Session): void
  clear(): void
}

/** Sessions in memory, the oldest dropped beyond `most`. */
export function openSessions(most = 2000): Sessions {
  const all = new Map<string, Session>()
  return {
    of(id) {
      const known = id ? all.get(id) : undefined
      if (known) return known
      const session = begin(randomBytes(16).toString('base64url'))
      all.set(session.id, session)
      const oldest = all.size > most ? all.keys().next().value : undefined
      if (oldest) all.delete(oldest)
      return session
    },
    reset(session) {
      delete session.user
      Object.assign(session, begin(session.id))
      delete session.cart.coupon
    },
    clear: () => all.clear(),
  }
}
