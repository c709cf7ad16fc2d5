/** The places where a planted bug may reach into the shop. Nothing else in the shop knows of any bug. */
export interface Bug {
  /** What is wrong, and where a person meets it. */
  explains: string
  /** Runs before the page or API call; a throw becomes a 500. */
  before?: (method: string, url: URL) => void
  /** Milliseconds to wait before the answer. */
  delay?: (url: URL) => number
  /** Replaces the whole-cent discount of a coupon. */
  discount?: (cents: number, percent: number) => number
  /** Replaces the amount to pay, in cents. */
  total?: (parts: { goods: number; discount: number; delivery: number }) => number
  /** Changes a finished page. */
  page?: (path: string, html: string) => string
}

export const bugs: Readonly<Record<string, Bug>> = {
  'coupon-rounding': {
    explains:
      'A valid coupon breaks the cart: the discount is rounded with toFixed(-2), which throws a RangeError, so POST /api/coupon answers 500.',
    discount: (cents, percent) => Number(((cents * percent) / 100).toFixed(-2)),
  },
  'checkout-total': {
    explains: 'The total forgets the delivery fee: at checkout, in the order and on the receipt.',
    total: ({ goods, discount }) => goods - discount,
  },
  'slow-search': {
    explains: 'Every catalogue search takes four seconds, as if the index on product names were gone.',
    delay: (url) => (url.searchParams.get('q') ? 4000 : 0),
  },
  'missing-label': {
    explains: 'The postcode field at checkout has lost its label, so neither a screen reader nor a test can name it.',
    page: (path, html) => (path === '/checkout' ? html.replace('<label for="postcode">Postcode</label>', '') : html),
  },
  'dead-button': {
    explains: 'Add to cart does nothing: the button no longer submits its form.',
    page: (path, html) =>
      path.startsWith('/products/')
        ? html.replace('type="submit" data-testid="add-to-cart"', 'type="button" data-testid="add-to-cart"')
        : html,
  },
  'order-500': {
    explains: 'Paying fails: POST /api/orders answers 500 because the order store is gone.',
    before: (method, url) => {
      if (method === 'POST' && url.pathname === '/api/orders') throw new Error('The order store does not answer')
    },
  },
}

/** The bugs of these names. Throws a RangeError that lists the known names where one is unknown. */
export function plant(names: readonly string[]): Bug[] {
  return names.map((name) => {
    const bug = Object.hasOwn(bugs, name) ? bugs[name] : undefined
    if (!bug) throw new RangeError(`No bug is called "${name}". Known: ${Object.keys(bugs).join(', ')}`)
    return bug
  })
}
