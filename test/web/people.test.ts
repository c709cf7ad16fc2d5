import t from 'tap'
import { freePort } from '../fixtures/free-port.ts'
import { inspect, openBrowser, openWindow } from '../fixtures/pages.ts'
import { fromLink, mailTo, totp } from '../fixtures/visitor.ts'
import { world } from '../fixtures/world.ts'

// The pages for people, used in a real browser: every one is looked at by axe, in light and in dark.

const port = await freePort()
const origin = `http://localhost:${port}`
// Passkeys need a name: a browser gives none to an address.
const here = await world(t, { environment: { MOLAR_PORT: String(port), MOLAR_PUBLIC_URL: origin } })
const browser = await openBrowser(t)
const ada = await openWindow(browser, origin)
const { page } = ada
const email = 'ada@example.com'
const password = 'four words and a horse'
const heading = () => page.getByRole('heading', { level: 1 }).innerText()

t.test('somebody signs up with the keyboard alone', async (t) => {
  await page.goto('/')
  t.equal(await heading(), 'Sign in')
  await inspect(t, ada, 'sign in')
  await page.goto('/auth/login?return_to=/account')
  await page.getByRole('link', { name: 'Create an account' }).focus()
  await page.keyboard.press('Enter')
  await page.waitForURL('**/auth/signup**')
  t.equal(await page.evaluate('document.activeElement.id'), 'name', 'the first field has the focus')
  await page.keyboard.type('Ada Lovelace')
  await page.keyboard.press('Tab')
  await page.keyboard.type(email)
  await page.keyboard.press('Tab')
  await page.keyboard.type('Password12345!')
  await page.keyboard.press('Enter')
  await page.getByRole('alert').waitFor()
  t.match(await page.getByRole('alert').innerText(), 'Many people use this password')
  t.equal(await page.getByLabel('E-mail address').inputValue(), email, 'what was typed is still there')
  await inspect(t, ada, 'sign up, refused')
  await page.getByLabel('Password').focus()
  await page.keyboard.type(password)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Look into your mail' }).waitFor()
  await inspect(t, ada, 'mail sent')
  const link = /^http\S+$/m.exec(await mailTo(here.home, email))![0]
  await page.goto(link)
  await inspect(t, ada, 'confirm address')
  await page.keyboard.press('Tab')
  t.equal(await page.evaluate('document.activeElement.className'), 'skip', 'one key to the content')
  await page.getByRole('button', { name: 'Yes, it is mine' }).focus()
  await page.keyboard.press('Enter')
  await page.waitForURL('**/account')
  t.equal(await heading(), 'My account')
})

t.test('a name is changed; a form that is sent twice does it once', async (t) => {
  await inspect(t, ada, 'account')
  await page.getByLabel('Name', { exact: true }).fill('Ada <b>King</b>')
  await page.getByRole('button', { name: 'Save name' }).click()
  t.match(await page.getByRole('status').innerText(), 'Your name is changed')
  t.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Ada <b>King</b>', 'markup is text')
  const me = await here.rest('GET /v1/account', undefined, {
    authorization: '',
    cookie: (await ada.context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; '),
  })
  t.equal(me.body.name, 'Ada <b>King</b>')
})

t.test('a passkey is made, signs in past the password, and is removed', async (t) => {
  const devtools = await ada.context.newCDPSession(page)
  await devtools.send('WebAuthn.enable')
  await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  await page.getByLabel('Name of the new passkey').fill('Laptop')
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await page.getByRole('status').waitFor()
  t.match(await page.getByRole('status').innerText(), 'The passkey is there')
  await inspect(t, ada, 'account with passkey')

  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.waitForURL('**/auth/login')
  await page.getByRole('button', { name: 'Use a passkey' }).click()
  await page.waitForURL('**/orgs')
  await page.goto('/account')
  t.equal(await heading(), 'My account')

  await page.getByRole('button', { name: 'Remove the passkey Laptop' }).click()
  t.match(await page.getByRole('status').innerText(), 'The passkey is gone')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Use a passkey' }).click()
  await page.getByText('This passkey is not known here.').waitFor()
  t.equal(ada.complaints.length, 0)
})

t.test('two factors are set up and asked for', async (t) => {
  await page.getByLabel('E-mail address', { exact: true }).fill(email)
  await page.getByLabel('Password').fill('a wrong password, long')
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  t.match(await page.getByRole('alert').innerText(), 'The e-mail address or the password is wrong')
  await inspect(t, ada, 'sign in, refused')
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.waitForURL('**/orgs')
  await page.goto('/account')
  await page.getByLabel('Your password').nth(1).fill(password)
  await page.getByRole('button', { name: 'Set it up' }).click()
  await page.getByRole('heading', { level: 1, name: 'Two-factor authentication' }).waitFor()
  await inspect(t, ada, 'two factors, new')
  const key = await page.locator('code').first().innerText()
  await page.getByLabel('Code that the app shows now').fill(totp(key, -1))
  await page.getByRole('button', { name: 'Turn it on' }).click()
  t.match(await page.getByRole('status').innerText(), 'Two-factor authentication is on')
  await inspect(t, ada, 'account with two factors')

  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByLabel('E-mail address', { exact: true }).fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.waitForURL('**/auth/two-factor**')
  await inspect(t, ada, 'two factors, asked')
  await page.getByLabel('Code of your authenticator app').fill(totp(key))
  await page.getByRole('button', { name: 'Go on' }).first().click()
  await page.waitForURL('**/orgs')
})

t.test('sessions are listed, and ended from afar', async (t) => {
  const elsewhere = await openWindow(browser, origin)
  await elsewhere.page.goto('/auth/login')
  await elsewhere.page.getByLabel('E-mail address for a link').fill('bea@example.com')
  await elsewhere.page.getByRole('button', { name: 'Send me a link' }).click()
  await elsewhere.page.goto(/^http\S+$/m.exec(await mailTo(here.home, 'bea@example.com'))![0])
  await inspect(t, elsewhere, 'link from a mail')
  await elsewhere.page.getByRole('button', { name: 'Sign in' }).click()
  await elsewhere.page.waitForURL('**/orgs')
  const again = await openWindow(browser, origin)
  await again.page.goto('/auth/login')
  await again.page.getByLabel('E-mail address for a link').fill('bea@example.com')
  await again.page.getByRole('button', { name: 'Send me a link' }).click()
  await again.page.goto(/^http\S+$/m.exec(await mailTo(here.home, 'bea@example.com', 2))![0])
  await again.page.getByRole('button', { name: 'Sign in' }).click()
  await again.page.waitForURL('**/orgs')
  await again.page.goto('/account/sessions')
  await inspect(t, again, 'sessions')
  await again.page.getByRole('button', { name: /^End the session in Chrome/ }).click()
  t.match(await again.page.getByRole('status').innerText(), 'It has ended')
  await elsewhere.page.goto('/account')
  await elsewhere.page.waitForURL('**/auth/login?return_to=**')
  await Promise.all([elsewhere.context.close(), again.context.close()])
})

t.test('a forgotten password is chosen anew', async (t) => {
  await page.goto('/account')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('link', { name: 'Forgot your password?' }).click()
  await page.getByLabel('E-mail address').fill(email)
  await inspect(t, ada, 'forgot')
  await page.getByRole('button', { name: 'Send me a link' }).click()
  await page.getByRole('heading', { name: 'Look into your mail' }).waitFor()
  const mail = await mailTo(here.home, email, 3)
  await page.goto(`/auth/reset?token=${fromLink(mail, 'token')}`)
  await inspect(t, ada, 'reset')
  await page.getByLabel('New password').fill(`${password}, or two`)
  await page.getByRole('button', { name: 'Set password' }).click()
  t.match(await page.getByRole('status').innerText(), 'Your new password is set')
  await page.goto(`/auth/reset?token=${fromLink(mail, 'token')}`)
  await page.getByLabel('New password').fill(`${password}, or two`)
  await page.getByRole('button', { name: 'Set password' }).click()
  t.match(await page.getByRole('alert').innerText(), 'used already or has run out')
})

t.test('an account ends', async (t) => {
  const link = await openWindow(browser, origin)
  await link.page.goto('/auth/login')
  await link.page.getByLabel('E-mail address for a link').fill('cid@example.com')
  await link.page.getByRole('button', { name: 'Send me a link' }).click()
  await link.page.goto(/^http\S+$/m.exec(await mailTo(here.home, 'cid@example.com'))![0])
  await link.page.getByRole('button', { name: 'Sign in' }).click()
  await link.page.goto('/account')
  await inspect(t, link, 'account without a password')
  await link.page.getByRole('link', { name: 'Delete my account' }).click()
  await inspect(t, link, 'delete account')
  await link.page.getByLabel('Your e-mail address').fill('cid@example.com')
  await link.page.getByRole('button', { name: 'Delete my account' }).click()
  await link.page.getByRole('heading', { name: 'Your account is gone' }).waitFor()
  await inspect(t, link, 'farewell')
})
