import fc from 'fast-check'
import t from 'tap'
import { startShop } from '../../../examples/shop/shop.ts'
import { CommandError } from '../../../src/core/errors.ts'
import { importSpec } from '../../../src/core/scenarios/import/spec.ts'
import { compileScenario } from '../../../src/core/scenarios/language/index.ts'
import { cliHere } from '../../fixtures/run-here.ts'
import { world } from '../../fixtures/world.ts'

const spec = (body: string) =>
  `import { test, expect } from '@playwright/test'\ntest('one', async ({ page }) => {\n${body}\n})\n`
const stepsOf = (content: string) => content.split('\n').flatMap((line) => /^\d+\. (.*)$/.exec(line)?.slice(1) ?? [])
const one = (line: string) => {
  const { scenarios, leftOut } = importSpec(spec(`  await page.goto('/x')\n  ${line}`))
  return { steps: stepsOf(scenarios[0]!.content).slice(1), leftOut }
}

t.test('common calls become the steps that mean the same', (t) => {
  const cases: [string, string | string[]][] = [
    [`await page.getByRole('button', { name: 'Save "all"' }).click()`, 'Click button "Save \\"all\\""'],
    [`await page.getByRole('link', { name: /sign in/i }).click()`, 'Click link "sign in"'],
    [
      `await page.getByLabel('Email', { exact: true }).fill('ada@example.com')`,
      'Fill "Email" with "ada@example.com" {exact: true}',
    ],
    [
      `await page.getByLabel('Password').fill(process.env.USER_PASSWORD!)`,
      'Fill "Password" with ${secrets.USER_PASSWORD}',
    ],
    [`await page.getByPlaceholder('Search').pressSequentially('mug')`, 'Type "mug" into "Search"'],
    [`await page.getByTestId('cart').nth(1).click({ button: 'right' })`, 'Right click testid "cart" {nth: 2}'],
    [
      `await page.getByRole('listitem').filter({ hasText: 'Ada' }).getByRole('button', { name: 'Delete' }).click()`,
      'Click button "Delete" in listitem "Ada"',
    ],
    [`await page.locator('#pay >> nth=0').or(page.locator('a')).click()`, []],
    [`await page.locator('form .pay').dblclick()`, 'Double click `form .pay`'],
    [`await page.locator('text=Hello').first().hover()`, 'Hover "Hello" {first: true}'],
    [`await page.click('#old')`, 'Click `#old`'],
    [`await page.fill('input[name=q]', 'x')`, 'Fill `input[name=q]` with "x"'],
    [`await page.getByLabel('Size').selectOption({ label: 'M' })`, 'Select "M" in "Size"'],
    [`await page.getByLabel('Sizes').selectOption(['S', 'L'])`, 'Select "S", "L" in "Sizes"'],
    [`await page.getByRole('checkbox', { name: 'Terms' }).check()`, 'Check checkbox "Terms"'],
    [`await page.getByLabel('Name').press('Control+A')`, 'Press Control+A in "Name"'],
    [`await page.keyboard.press('Enter')`, 'Press Enter'],
    [`await page.getByText('A').dragTo(page.getByText('B'))`, 'Drag "A" to "B"'],
    [`await page.getByLabel('File').setInputFiles('fixtures/mug.png')`, 'Upload "mug.png" to "File"'],
    [`await page.getByText('Loading').waitFor({ state: 'hidden' })`, 'Wait for "Loading" to be hidden'],
    [`await page.waitForURL('**/orders/*')`, 'Wait for url matches /orders/*'],
    [`await page.reload()`, 'Reload'],
    [`await page.screenshot({ fullPage: true })`, 'Screenshot {full_page: true}'],
    [`await page.waitForLoadState('networkidle')`, []],
    [`await expect(page.getByText('Thank you')).toBeVisible()`, 'Assert text "Thank you" is visible'],
    [`await expect(page.getByText('Gone')).not.toBeVisible()`, 'Assert text "Gone" is hidden'],
    [`await expect(page.getByRole('alert')).toHaveText('Saved')`, 'Assert alert has text "Saved"'],
    [`await expect(page.getByRole('alert')).toHaveText(/saved/i)`, 'Assert alert contains "saved"'],
    [`await expect(page.getByLabel('Qty')).toHaveValue('2')`, 'Assert "Qty" has value "2"'],
    [`await expect(page.getByRole('row')).toHaveCount(3)`, 'Assert 3 row'],
    [`await expect(page.getByRole('row')).toHaveCount(0)`, 'Assert no row'],
    [`await expect(page.getByRole('button', { name: 'Go' })).toBeDisabled()`, 'Assert button "Go" is disabled'],
    [`await expect(page.getByLabel('T')).not.toBeChecked()`, 'Assert "T" is unchecked'],
    [`await expect(page.locator('a')).toHaveAttribute('href', '/x')`, 'Assert `a` has attribute "href" "/x"'],
    [`await expect(page).toHaveURL('/cart')`, 'Assert url is /cart'],
    [`await expect(page).toHaveURL(/\\/orders\\/\\d+$/)`, 'Assert url matches /orders/*'],
    [`await expect(page).toHaveURL(/cart/)`, 'Assert url contains cart'],
    [`await expect(page).toHaveTitle('Shop')`, 'Assert title is "Shop"'],
    [
      'const name: string = "Ada"; const row = page.getByRole("row", { name: `Row ${name}` }); await row.click()',
      'Click row "Row Ada"',
    ],
    [`await test.step('pay', async () => { await page.getByText('Pay').click() })`, 'Click "Pay"'],
  ]
  for (const [code, expected] of cases) {
    const { steps, leftOut } = one(code)
    t.same(steps, [expected].flat(), `${code} ${JSON.stringify(leftOut)}`)
  }
  t.end()
})

t.test('what cannot be carried over is listed with its line and why', (t) => {
  const cases: [string, RegExp][] = [
    [`if (x) await page.reload()`, /decides or repeats/],
    [`await page.route('**', (r) => r.abort())`, /page\.route/],
    [`await page.getByRole('button', { name: /a|b/ }).click()`, /regular expression/],
    [`await page.locator('xpath=//a').click()`, /not plain CSS/],
    [`await page.frameLocator('#f').getByText('x').click()`, /Switch to frame/],
    [`await page.getByText('a').nth(2).getByText('b').click()`, /one of several/],
    [`await expect(page.getByText('a')).toHaveCSS('color', 'red')`, /toHaveCSS/],
    [`await helper(page)`, /no call that is known/],
    [`await page.getByLabel('A').fill(value)`, /value is not known/],
    [`await page.getByLabel('Password').fill('hunter2')`, /had its password in clear/],
  ]
  for (const [code, reason] of cases) {
    const { leftOut, steps } = one(code)
    t.match(leftOut, [{ line: 4, reason }], code)
    t.notMatch(JSON.stringify(steps), /hunter2/)
  }
  t.end()
})

t.test('hooks, describes, baseURL and equal titles', (t) => {
  const { scenarios, leftOut } = importSpec(`
    import { test } from '@playwright/test'
    enumLike: for (;;) break
    test.use({ baseURL: 'http://localhost:4100', locale: 'de' })
    const START = '/login'
    test.describe('Cart', () => {
      test.beforeEach(async ({ page }) => { await page.goto(START) })
      test.afterEach(async ({ page }) => { await page.goto('/logout') })
      test('opens', async ({ page: shop }) => { await shop.getByText('Cart').click() })
      test('opens', async ({ page }) => { await page.reload() })
      test.skip('nothing', async () => {})
    })`)
  t.same(
    scenarios.map(({ slug }) => slug),
    ['opens', 'cart-opens', 'nothing'],
  )
  t.match(
    scenarios[0]!.content,
    /base_url: "http:\/\/localhost:4100"[\s\S]*## Setup\n1\. Navigate to \/login\n\n## Steps\n1\. Click "Cart"\n\n## Teardown\n1\. Navigate to \/logout/,
  )
  t.match(leftOut, [{ line: 3 }, { line: 4, reason: /sets locale/ }])
  for (const { content } of scenarios) t.ok(compileScenario(content).ok)
  t.end()
})

t.test('no text makes it crash or give a scenario that does not compile', async () => {
  const fragments = spec(`await page.getByText('a').click()`).split(/(?=[ (){}'.,])/)
  const anything = fc.oneof(
    fc.string({ maxLength: 300 }),
    fc.array(fc.constantFrom(...fragments), { maxLength: 60 }).map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(anything, (text) => {
      try {
        return importSpec(text).scenarios.every(({ content }) => compileScenario(content).ok)
      } catch (error) {
        return error instanceof CommandError
      }
    }),
    { numRuns: 300, examples: [['<A>'], ['x = <A>'], ['if (<A>) <A>']] },
  )
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(name, (text) => {
      const { scenarios, leftOut } = importSpec(
        spec(`await page.goto('/')\nawait page.getByText(${JSON.stringify(text)}).click()`),
      )
      return (
        scenarios.every(({ content }) => compileScenario(content).ok) &&
        (leftOut.length > 0 || scenarios[0]!.steps === 2)
      )
    }),
  )
  try {
    importSpec(`test('x', ${'('.repeat(50_000)}1${')'.repeat(50_000)})`)
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
  }
})

t.test('an imported spec of the shop passes as the spec does', async (t) => {
  const here = await world(t, { workers: 1 })
  const shop = await startShop({})
  t.teardown(() => shop.close())
  const source = `
import { expect, test, type Page } from '@playwright/test'

test.describe('Shop', () => {
  test.beforeEach(async ({ page }: { page: Page }) => {
    await page.goto('/login')
    await page.getByLabel('Email').fill('ada@example.com')
    await page.getByLabel('Password').fill(process.env.USER_PASSWORD ?? '')
    await page.getByRole('button', { name: 'Sign in' }).click()
  })

  test('finds a mug', async ({ page }) => {
    await page.goto('/products')
    await page.getByRole('searchbox', { name: 'Search' }).fill('mug')
    await page.getByLabel('Sort by').selectOption({ label: 'Name' })
    await page.getByRole('button', { name: 'Find' }).click()
    await expect(page.getByRole('heading', { name: 'Catalogue' })).toBeVisible()
    await expect(page.getByRole('link', { name: 'Enamel mug' })).toHaveCount(1)
    await page.getByRole('listitem').filter({ hasText: 'Enamel mug' }).getByRole('link').click()
    await expect(page).toHaveURL(/\\/products\\/[^/]+$/)
  })
})
`
  const { code, stdout, stderr } = await cliHere(here, [
    'scenarios',
    'import',
    '--json',
    '--input',
    JSON.stringify({ source }),
  ])
  t.equal(code, 0, stderr)
  const { files, left_out } = JSON.parse(stdout)
  t.same(left_out, [])
  const partly = "test('a', async ({ page }) => { await page.goto('/'); await page.evaluate(() => 1) })"
  const told = await cliHere(here, [
    'scenarios',
    'import',
    '--out',
    t.testdir(),
    '--input',
    JSON.stringify({ source: partly }),
  ])
  t.match(told.stderr, /^Line 1 is left out, it .*: await page\.evaluate/, 'people are told as well')
  const { body } = await here.rest('POST /v1/runs/batch', {
    files: files.map(({ content }: { content: string }) => ({ content })),
    base_url: shop.url,
    secrets: { USER_PASSWORD: 'correct-horse-battery' },
  })
  t.match(body, { verdict: 'passed' }, JSON.stringify(body.runs?.[0]?.failure ?? body))
})
