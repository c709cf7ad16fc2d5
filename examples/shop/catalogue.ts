export type Category = 'Kitchen' | 'Home' | 'Clothing'
export const categories: readonly Category[] = ['Kitchen', 'Home', 'Clothing']

export interface Product {
  slug: string
  name: string
  category: Category
  /** In cents. */
  price: number
  stock: number
  sizes: readonly string[]
  /** Which drawing, and its colour in degrees. */
  art: string
  hue: number
  blurb: string
}

const one = ['One size']
const wear = ['S', 'M', 'L', 'XL']

type Row = [name: string, category: Category, price: number, stock: number, art: string, hue: number, blurb: string]
const rows: readonly Row[] = [
  ['Enamel mug', 'Kitchen', 1490, 24, 'mug', 150, 'Steel under a glassy coat. Chips with dignity.'],
  ['Linen shirt', 'Clothing', 6900, 9, 'shirt', 205, 'Washed once, so that it is soft from the first day.'],
  ['Reading lamp', 'Home', 11900, 5, 'lamp', 42, 'A warm cone of light that stays on the page.'],
  ['Terracotta planter', 'Home', 2490, 31, 'planter', 18, 'Breathes, so roots do not drown.'],
  ['Pour-over kettle', 'Kitchen', 6400, 7, 'kettle', 190, 'A narrow spout and a patient pour.'],
  ['Canvas tote', 'Clothing', 2200, 40, 'bag', 95, 'Carries a week of groceries and one thick book.'],
  ['Beeswax candle', 'Home', 1690, 52, 'candle', 48, 'Forty quiet hours, with a scent of honey.'],
  ['Stoneware bowl', 'Kitchen', 1950, 18, 'bowl', 260, 'Every glaze runs a little differently.'],
  ['Wool throw', 'Home', 8900, 6, 'towel', 345, 'Woven from two undyed wools and one that is not.'],
  ['Merino sweater', 'Clothing', 9800, 11, 'shirt', 12, 'Thin, warm, and forgiving of being slept in.'],
  ['Oak cutting board', 'Kitchen', 3800, 14, 'board', 30, 'One plank, oiled twice.'],
  ['Wall clock', 'Home', 5900, 8, 'clock', 220, 'Runs without a tick.'],
  ['Straw hat', 'Clothing', 3600, 13, 'hat', 52, 'Shade for one, with a ribbon.'],
  ['Linen tea towel', 'Kitchen', 1250, 60, 'towel', 170, 'Dries glasses without a trace.'],
  ['Storage basket', 'Home', 3450, 15, 'basket', 36, 'For wool, wood, or whatever lies about.'],
  ['Wool socks', 'Clothing', 1550, 44, 'socks', 280, 'Knitted heel, no seam at the toe.'],
  ['Cast-iron pan', 'Kitchen', 7200, 4, 'pan', 240, 'Gets better for about a hundred years.'],
  ['Canvas apron', 'Clothing', 4200, 16, 'apron', 130, 'Two pockets, crossed at the back.'],
]

const sized = new Set(['shirt', 'apron', 'socks'])

export const products: readonly Product[] = rows.map(([name, category, price, stock, art, hue, blurb]) => ({
  slug: name.toLowerCase().replaceAll(' ', '-'),
  name,
  category,
  price,
  stock,
  sizes: sized.has(art) ? wear : art === 'mug' ? ['250 ml', '350 ml'] : one,
  art,
  hue,
  blurb,
}))

/** The product of this slug, or undefined. */
export function product(slug: string): Product | undefined {
  return products.find((item) => item.slug === slug)
}

export const sorts = {
  featured: 'Featured',
  name: 'Name',
  'price-up': 'Price, low to high',
  'price-down': 'Price, high to low',
}
const order: Record<string, (a: Product, b: Product) => number> = {
  name: (a, b) => a.name.localeCompare(b.name, 'en'),
  'price-up': (a, b) => a.price - b.price,
  'price-down': (a, b) => b.price - a.price,
}
const pageSize = 8

export interface Found {
  items: Product[]
  total: number
  page: number
  pages: number
}

/** One page of the catalogue by `q`, `category`, `sort` and `page`; what is not understood is passed over. */
export function find(query: URLSearchParams): Found {
  const words = (query.get('q') ?? '').toLowerCase().split(/\s+/).filter(Boolean)
  const category = query.get('category')
  const hits = products.filter((item) => {
    const text = `${item.name} ${item.category} ${item.blurb}`.toLowerCase()
    return words.every((word) => text.includes(word)) && (!category || item.category === category)
  })
  const by = order[query.get('sort') ?? '']
  if (by) hits.sort(by)
  const pages = Math.max(1, Math.ceil(hits.length / pageSize))
  const page = Math.min(pages, Math.max(1, Math.trunc(Number(query.get('page')) || 1)))
  return { items: hits.slice((page - 1) * pageSize, page * pageSize), total: hits.length, page, pages }
}
