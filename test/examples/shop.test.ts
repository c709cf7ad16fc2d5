import { readFile } from 'node:fs/promises'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { bugs } from '../../examples/shop/bugs.ts'
import { type Shop, startShop } from '../../examples/shop/shop.ts'
import { chromium } from '../../src/worker/browser/playwright.ts'
import { launchOptions } from '../fixtures/browser.ts'

const address = { name: 'Ada', street: 'Square 12', postcode: 'SW1Y', city: 'London', country: 'France' }
const ada = { email: 'ada@example.com', password: 'correct-horse-battery' }

let shop: Shop
let browser: Browser

t.before(async () => {
  shop = await startShop()
  browser = await chromium.launch(await launchOptions())
})
t.after(async () => {
  await browser.close()
  await shop.close()
})

interface Reply {
  status: number
  // The tests read many shapes; a missing field shows as undefined in the comparison.
  data: Record<string, unknown>
  text: string
  headers: Headers
}

/** A client with cookies of its own, without a browser. */
function visitor(url = shop.url) {
  const jar = new Map<string, string>()
  return async (line: string, body?: unknown): Promise<Reply> => {
    const [method, path] = line.split(' ')
    const cookie = [...jar].map((pair) => pair.join('=')).join('; ')
    const headers = { cookie, ...(body ? { 'content-type': 'application/json' } : {}) }
    const init = { method, headers, redirect: 'manual' as const, ...(body ? { body: JSON.stringify(body) } : {}) }
    const response = await fetch(url + path, init)
    for (const set of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (set.split(';')[0] ?? '').split('=')
      jar.set(name, value)
    }
    const text = await response.text()
    const data = response.headers.get('content-type') === 'application/json' ? JSON.parse(text) : {}
    return { status: response.status, data, text, headers: response.headers }
  }
}

/** A page in a context of its own, closed with the test; page errors fail the test. */
async function open(t: Test, path: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ baseURL: shop.url, ...options })
  context.setDefaultTimeout(5000)
  t.teardown(() => context.close())
  const page = await context.newPage()
  page.on('pageerror', (error) => t.fail(error.message))
  await page.goto(path)
  return page
}

const post = (page: Page, path: string, data: object) => page.request.post(path, { data })
const shows = (page: Page, text: string) => page.getByText(text).waitFor()
const textOf = (page: Page, id: string) => page.getByTestId(id).textContent()
const click = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()

t.test('each session has its own cart, user and orders, and reset touches only its own', async (t) => {
  const [one, two] = [visitor(), visitor()]
  await one('POST /api/cart', { slug: 'enamel-mug', quantity: 2 })
  await one('POST /api/login', ada)
  t.equal((await one('GET /api/cart')).data.pieces, 2)
  t.equal((await two('GET /api/cart')).data.pieces, 0)
  t.equal((await two('GET /api/me')).status, 401)
  await two('POST /api/cart', { slug: 'enamel-mug' })
  t.equal((await one('POST /api/reset')).status, 204)
  t.equal((await one('GET /api/me')).status, 401)
  t.equal((await one('GET /api/cart')).data.pieces, 0)
  t.equal((await two('GET /api/cart')).data.pieces, 1)
  const fresh = await two('GET /cart?fresh=1&x=1')
  t.equal(fresh.headers.get('location'), '/cart?x=1')
  t.equal((await two('GET /api/cart')).data.pieces, 0)
})

t.test('the API finds, sells, prices to the cent and refuses in words', async (t) => {
  const call = visitor()
  t.match((await call('GET /api/products?q=linen')).data, { total: 2, pages: 1 })
  t.match((await call('GET /api/products?page=3')).data, { total: 18, page: 3, pages: 3 })
  t.match((await call('GET /api/products?sort=price-up')).data, { items: [{ slug: 'linen-tea-towel' }] })
  t.match(await call('POST /api/cart', { slug: 'moon' }), { status: 404, data: { error: 'unknown_product' } })
  t.match(await call('POST /api/cart', { slug: 'linen-shirt', size: 'XS' }), { status: 422 })
  t.match(await call('POST /api/cart', { slug: 'enamel-mug', quantity: 1.5 }), { status: 422 })
  await call('POST /api/cart', { slug: 'reading-lamp', gift_wrap: true })
  t.match((await call('POST /api/coupon', { code: ' welcome15 ' })).data, {
    goods: 12250,
    discount: 1838,
    total: 10412,
  })
  t.match(await call('POST /api/coupon', { code: 'SUMMER24' }), { status: 410 })
  t.match(await call('POST /api/coupon', { code: 'NOPE' }), { status: 404 })
  const order = { address, delivery: 'express', card: 'tok_4242' }
  t.match(await call('POST /api/orders', order), { status: 401 })
  t.match(await call('POST /api/login', { ...ada, password: 'wrong' }), { status: 401 })
  await call('POST /api/login', ada)
  t.match(await call('POST /api/orders', { ...order, card: 'tok_0002' }), { status: 402, data: { error: 'declined' } })
  t.match(await call('POST /api/orders', { ...order, address: {} }), { status: 422 })
  t.match(await call('POST /api/orders', order), { status: 201, data: { id: 1002, total: 11702, status: 'Paid' } })
  t.match(await call('POST /api/orders', order), { status: 409, data: { error: 'empty_cart' } })
  const receipt = await call('GET /orders/1002/receipt.txt')
  t.match(receipt.headers.get('content-disposition'), /receipt-1002\.txt/)
  t.match(receipt.text, /Reading lamp.*\n.*Discount +−€18\.38\n.*\nTotal +€117\.02/)
  t.equal((await call('GET /orders/9')).status, 404)
  t.match(await call('POST /api/orders/1001/cancel', {}), { status: 409, data: { message: /delivered already/ } })
  t.equal((await visitor()('GET /orders')).headers.get('location'), '/login?next=%2Forders')
})

t.test('hostile input is answered, never run and never a 500', async (t) => {
  const call = visitor()
  t.notMatch((await call('GET /products?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E')).text, /<script>alert/)
  t.equal((await call('GET /client/..%2fshop.ts')).status, 404)
  t.equal((await call('GET /nowhere')).status, 404)
  t.match((await call('GET /login?next=//evil.example')).text, /data-next="\/account"/)
  const broken = await fetch(`${shop.url}/api/cart`, { method: 'POST', body: '{' })
  t.equal(broken.status, 400)
  const big = await fetch(`${shop.url}/api/cart`, { method: 'POST', body: 'x'.repeat(2_100_000) })
  t.equal(big.status, 413)
  t.match(await call('POST /api/reviews', { product: 'enamel-mug', stars: 5, text: 'x', photo: 'javascript:1' }), {
    status: 422,
  })
})

t.test('every bug is planted by query for one browser, by option for all, and by no other name', async (t) => {
  const call = visitor()
  t.match(await call('GET /?bug=nonsense'), { status: 400, text: /No bug is called/ })
  await t.rejects(startShop({ bugs: ['nonsense'] }), /Known: coupon-rounding/)
  for (const name of Object.keys(bugs)) t.equal((await call(`GET /?bug=${name}`)).status, 303, name)
  await call('GET /?bug=order-500,missing-label')
  t.match(await call('POST /api/orders', {}), { status: 500, data: { error: 'internal' } })
  await call('GET /?bug=')
  t.match(await call('POST /api/orders', {}), { status: 401 }, 'the bugs are gone')
  const buggy = await startShop({ bugs: ['order-500'] })
  t.teardown(() => buggy.close())
  t.match(await visitor(buggy.url)('POST /api/orders', {}), { status: 500 })
})

t.test('coupon-rounding: a valid coupon is a 500, a console error and a banner; the cart survives', async (t) => {
  const page = await open(t, '/cart')
  const errors: string[] = []
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
  await post(page, '/api/cart', { slug: 'reading-lamp' })
  const apply = async (start: string) => {
    await page.goto(start)
    await page.getByLabel('Coupon code').fill('WELCOME15')
    await click(page, 'Apply')
  }
  await apply('/cart?bug=coupon-rounding')
  await page.getByRole('alert').filter({ hasText: 'Something went wrong (500)' }).waitFor()
  t.ok(errors.includes('POST /api/coupon answered 500'))
  await page.reload()
  t.equal(await textOf(page, 'before-delivery'), '€119.00')
  await apply('/cart?bug=')
  await shows(page, 'Coupon WELCOME15 is applied.')
  t.equal(await textOf(page, 'discount'), '−€17.85')
})

t.test(
  'missing-label, dead-button, slow-search and checkout-total change what a person meets, and nothing without them',
  async (t) => {
    const page = await open(t, '/products/enamel-mug?bug=dead-button')
    await click(page, 'Add to cart')
    await page.waitForTimeout(300)
    t.equal(await textOf(page, 'cart-count'), '0')
    await page.goto('/products/enamel-mug?bug=')
    await click(page, 'Add to cart')
    await shows(page, 'Added to your cart.')
    t.equal(await textOf(page, 'cart-count'), '1')

    await post(page, '/api/login', ada)
    for (const [bug, labels, total] of [
      ['missing-label', 0, '€19.80'],
      ['checkout-total', 1, '€14.90'],
      ['', 1, '€19.80'],
    ] as const) {
      await page.goto(`/checkout?bug=${bug}`)
      t.equal(await page.getByLabel('Postcode').count(), labels, `postcode with ${bug}`)
      t.equal(await textOf(page, 'total'), total, `total with ${bug}`)
    }

    const searched = async (bug: string) => {
      await page.goto(`/products?bug=${bug}`)
      await page.getByLabel('Search').fill('lamp')
      const begin = performance.now()
      await click(page, 'Find')
      await shows(page, '1 product')
      return performance.now() - begin
    }
    t.ok((await searched('')) < 2500)
    t.ok((await searched('slow-search')) > 3500)
  },
)

t.test('a customer signs in, buys with a card in a frame, reads the papers and cancels', async (t) => {
  const page = await open(t, '/account')
  await page.getByLabel('Email').fill(ada.email)
  await page.getByLabel('Password').fill('wrong')
  await click(page, 'Sign in')
  await shows(page, 'do not match')
  await page.getByLabel('Password').fill(ada.password)
  await click(page, 'Sign in')
  await page.waitForURL('/account')
  await post(page, '/api/cart', { slug: 'wall-clock' })
  await page.goto('/checkout')
  for (const [label, value] of [
    ['Full name', 'Ada'],
    ['Street and number', 'Square 12'],
    ['Postcode', 'SW1Y'],
    ['City', 'London'],
  ] as const)
    await page.getByLabel(label).fill(value)
  await page.getByRole('radio', { name: 'Express' }).check()
  await shows(page, '€71.90')
  await click(page, 'Pay now')
  await shows(page, 'Please check your card.')
  const frame = page.frameLocator('iframe[title="Card payment"]')
  await frame.getByLabel('Card number').fill('4242424242424242')
  await frame.getByLabel('Expiry').fill('1230')
  await frame.getByLabel('Security code').fill('123')
  await click(page, 'Pay now')
  await shows(page, 'Thank you!')
  t.match(page.url(), /\/orders\/1002/)
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download CSV' }).click(),
  ])
  t.equal(download.suggestedFilename(), 'receipt-1002.csv')
  t.match(await readFile(await download.path(), 'utf8'), /1002,Wall clock,One size,1,59\.00/)
  const [invoice] = await Promise.all([
    page.waitForEvent('popup'),
    page.getByRole('link', { name: 'Open invoice' }).click(),
  ])
  t.equal(await invoice.title(), 'Invoice 1002')
  page.once('dialog', (dialog) => dialog.accept('Ordered twice'))
  await click(page, 'Cancel order')
  await shows(page, 'Reason: Ordered twice')
})

t.test('the cart asks before it removes, and lines are dragged or moved by arrow', async (t) => {
  const page = await open(t, '/')
  for (const slug of ['enamel-mug', 'linen-shirt', 'wall-clock']) await post(page, '/api/cart', { slug })
  await page.goto('/cart')
  const names = () => page.locator('.what a').allTextContents()
  const moved = () => page.waitForResponse((response) => response.url().endsWith('/cart') && response.ok())
  page.once('dialog', (dialog) => dialog.dismiss())
  await page.getByRole('row', { name: 'Wall clock' }).getByRole('button', { name: 'Remove' }).click()
  t.equal((await names()).length, 3)
  page.once('dialog', (dialog) => dialog.accept())
  await page.getByRole('row', { name: 'Wall clock' }).getByRole('button', { name: 'Remove' }).click()
  await shows(page, 'Wall clock is gone.')
  const shirt = page.getByRole('button', { name: 'Move Linen shirt' })
  await Promise.all([moved(), shirt.dragTo(page.getByRole('row', { name: 'Enamel mug' }))])
  await page.locator('tbody tr').first().getByText('Linen shirt').waitFor()
  await Promise.all([moved(), shirt.press('ArrowDown')])
  await page.locator('tbody tr').first().getByText('Enamel mug').waitFor()
  await shirt.dragTo(page.getByRole('region', { name: 'Wish list' }))
  await page.getByRole('list', { name: 'Wishes' }).getByText('Linen shirt').waitFor()
  t.same(await names(), ['Enamel mug'])
  await page.getByLabel('Quantity').fill('3')
  await page.getByTestId('goods').getByText('€44.70').waitFor()
})

t.test('a review takes a photo, and the stock follows the server or says that it cannot', async (t) => {
  const page = await open(t, '/products/enamel-mug')
  await page.route('**/api/stock*', (route) => route.fulfill({ json: { stock: 3 } }))
  await page.getByText('3 in stock').waitFor()
  await page.unrouteAll()
  await page.route('**/api/stock*', (route) => route.fulfill({ status: 503 }))
  await page.getByText('Stock unknown').waitFor()
  await page.getByRole('tab', { name: 'Reviews' }).click()
  await page.getByLabel('Your review').fill('Small <b>and</b> good')
  await page.getByLabel('Photo').setInputFiles(new URL('../../examples/mug.png', import.meta.url).pathname)
  await page.getByAltText('Photo preview').waitFor()
  await click(page, 'Publish review')
  await shows(page, 'Small <b>and</b> good')
  t.equal(await page.getByAltText('Photo by A guest').count(), 1)
})

t.test('offline is announced, a failed search says so, and both recover', async (t) => {
  const page = await open(t, '/products')
  await page.context().setOffline(true)
  await shows(page, 'You are offline')
  await page.getByLabel('Category').selectOption('Home')
  await shows(page, 'We cannot search right now')
  await page.context().setOffline(false)
  await page.getByText('You are offline').waitFor({ state: 'hidden' })
  await page.getByLabel('Category').selectOption('Kitchen')
  await shows(page, '6 products')
  t.match(page.url(), /category=Kitchen/)
})

t.test('half an hour away signs out, and the colours follow the device or the customer', async (t) => {
  const page = await open(t, '/', { colorScheme: 'dark' })
  await page.clock.install()
  await post(page, '/api/login', ada)
  await page.goto('/account')
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
  const dark = await ground()
  await page.getByRole('radio', { name: 'Light' }).check()
  t.not(await ground(), dark)
  await page.reload()
  t.ok(await page.getByRole('radio', { name: 'Light' }).isChecked())
  await page.clock.fastForward('20:00')
  await shows(page, 'Session ends in 10 minutes')
  await click(page, 'Stay signed in')
  await shows(page, 'Session ends in 30 minutes')
  await page.clock.fastForward('31:00')
  await page.getByRole('alertdialog', { name: 'Your session has expired' }).waitFor()
  t.equal((await page.request.get('/api/me')).status(), 401)
})

t.end()
