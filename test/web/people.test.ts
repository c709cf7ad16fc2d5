import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { pino } from 'pino'
import t from 'tap'
import { freePort } from '../fixtures/free-port.ts'
import { inspect, openBrowser, openWindow } from '../fixtures/pages.ts'
import { fromLink, mailTo, totp, Visitor } from '../fixtures/visitor.ts'
import { world } from '../fixtures/world.ts'

// The pages for people, used in a real browser: every one is looked at by axe, in light and in dark.

const port = await freePort()
const origin = `http://localhost:${port}`
// Passkeys need a name: a browser gives none to an address.
const requests: { request_id: string; method: string; path: string; status: number }[] = []
const log = pino({ level: 'info' }, { write: (line) => void requests.push(JSON.parse(line)) })
const here = await world(t, { environment: { MOLAR_PORT: String(port), MOLAR_PUBLIC_URL: origin }, log })
const database = new pg.Client({ connectionString: here.config.migrationUrl })
await database.connect()
t.teardown(() => database.end())
const sql = (text: string) => database.query(`begin; set local role molar_system; ${text}; commit`)
/** Of which requests there is an audit event. An org's go with it, so they are looked at before. */
const recorded = new Set<string>()
const lookAtRecords = async () => {
  const { rows } = await database.query('select distinct request_id from audit_events')
  for (const { request_id } of rows) recorded.add(request_id)
}
const browser = await openBrowser(t)
const ada = await openWindow(browser, origin)
const { page } = ada
const email = 'ada@example.com'
const password = 'four words and a horse'
const backups: string[] = []
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
  await page.getByRole('alert').filter({ hasText: 'Many people use this password' }).waitFor()
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
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('Ada <b>King</b>')
  await page.getByRole('button', { name: 'Save name' }).click()
  await page.getByRole('status').filter({ hasText: 'Your name is changed' }).waitFor()
  t.equal(
    await page.getByRole('textbox', { name: 'Name', exact: true }).inputValue(),
    'Ada <b>King</b>',
    'markup is text',
  )
  const me = await here.rest('GET /v1/account', undefined, {
    authorization: '',
    cookie: (await ada.context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; '),
  })
  t.equal(me.body.name, 'Ada <b>King</b>')
})

t.test('a passkey is made, signs in past the password, and is removed', async (t) => {
  const devtools = await ada.context.newCDPSession(page)
  await devtools.send('WebAuthn.enable')
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
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
  await page.getByRole('status').filter({ hasText: 'The passkey is there' }).waitFor()
  await inspect(t, ada, 'account with passkey')

  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.waitForURL('**/auth/login')
  await page.getByRole('button', { name: 'Use a passkey' }).click()
  await page.waitForURL('**/orgs')
  await page.goto('/account')
  t.equal(await heading(), 'My account')

  // A device that asks nobody for a PIN: the page demands one, so somebody changed what the page was told.
  await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false })
  await page.route('**/auth/passkey/challenge', async (route) => {
    const response = await route.fetch()
    await route.fulfill({ response, json: { ...(await response.json()), userVerification: 'discouraged' } })
  })
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Use a passkey' }).click()
  await page.getByText('Your device did not make sure that it is you').waitFor()
  await page.unroute('**/auth/passkey/challenge')
  await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true })
  await page.getByRole('button', { name: 'Use a passkey' }).click()
  await page.waitForURL('**/orgs')
  await page.goto('/account')

  await page.getByRole('button', { name: 'Remove the passkey Laptop' }).click()
  await page.getByRole('status').filter({ hasText: 'The passkey is gone' }).waitFor()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.waitForURL('**/auth/login')
  await page.getByRole('button', { name: 'Use a passkey' }).click()
  await page.getByText('This passkey is not known here.').waitFor()
  t.equal(ada.complaints.length, 0)
})

t.test('two factors are set up and asked for', async (t) => {
  await page.getByRole('textbox', { name: 'E-mail address', exact: true }).fill(email)
  await page.getByLabel('Password').fill('a wrong password, long')
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('alert').filter({ hasText: 'The e-mail address or the password is wrong' }).waitFor()
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
  backups.push(...(await page.locator('pre').innerText()).trim().split('\n'))
  await page.getByLabel('Code that the app shows now').fill(totp(key))
  await page.getByRole('button', { name: 'Turn it on' }).click()
  await page.getByRole('status').filter({ hasText: 'Two-factor authentication is on' }).waitFor()
  await inspect(t, ada, 'account with two factors')

  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('textbox', { name: 'E-mail address', exact: true }).fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.waitForURL('**/auth/two-factor**')
  await inspect(t, ada, 'two factors, asked')
  await page.getByLabel('Code of your authenticator app').fill(totp(key, 1))
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
  await again.page.getByRole('status').filter({ hasText: 'It has ended' }).waitFor()
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
  await page.getByRole('status').filter({ hasText: 'Your new password is set' }).waitFor()
  await page.goto(`/auth/reset?token=${fromLink(mail, 'token')}`)
  await page.getByLabel('New password').fill(`${password}, or two`)
  await page.getByRole('button', { name: 'Set password' }).click()
  await page.getByRole('alert').filter({ hasText: 'used already or has run out' }).waitFor()
})

t.test('orgs: made, joined by invitation, roles, given away, left', async (t) => {
  await page.goto('/auth/login')
  await page.getByRole('textbox', { name: 'E-mail address', exact: true }).fill(email)
  await page.getByLabel('Password').fill(`${password}, or two`)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.waitForURL('**/auth/two-factor**')
  await page.getByLabel('One of your backup codes').fill(backups[0]!)
  await page.getByRole('button', { name: 'Go on' }).last().click()
  await page.waitForURL('**/orgs')
  await inspect(t, ada, 'no org yet')
  await page.goto('/keys')
  await page.waitForURL('**/orgs')
  await page.getByRole('textbox', { name: 'Name' }).fill('Analytical Engines')
  await page.getByLabel('Slug').fill('engines')
  await page.getByRole('link', { name: 'terms of use' }).click()
  await inspect(t, ada, 'terms')
  await page.goto('/orgs')
  await page.getByRole('textbox', { name: 'Name' }).fill('Analytical Engines')
  await page.getByLabel('Slug').fill('local')
  await page.getByLabel('I accept the').check()
  await page.getByRole('button', { name: 'Create organisation' }).click()
  await page.getByRole('alert').filter({ hasText: 'There is an org named local already' }).waitFor()
  t.equal(await page.getByRole('textbox', { name: 'Name' }).inputValue(), 'Analytical Engines')
  await page.getByLabel('Slug').fill('engines')
  await page.getByRole('button', { name: 'Create organisation' }).click()
  await page.waitForURL('**/orgs/engines?done=made')
  t.equal(await heading(), 'Analytical Engines')

  await page.getByLabel('E-mail address').fill('dan@example.com')
  await page.getByLabel('Role', { exact: true }).selectOption('viewer')
  await page.getByRole('button', { name: 'Invite' }).click()
  await page.getByRole('button', { name: 'Take back the invitation of dan@example.com' }).waitFor()
  await inspect(t, ada, 'org, invited')
  const dan = await openWindow(browser, origin)
  await dan.page.goto(/^http\S+$/m.exec(await mailTo(here.home, 'dan@example.com'))![0])
  await dan.page.waitForURL('**/auth/login?return_to=**')
  await dan.page.getByLabel('E-mail address for a link').fill('dan@example.com')
  await dan.page.getByRole('button', { name: 'Send me a link' }).click()
  await dan.page.goto(/^http\S+$/m.exec(await mailTo(here.home, 'dan@example.com', 2))![0])
  await dan.page.getByRole('button', { name: 'Sign in' }).click()
  await dan.page.waitForURL('**/invitations/accept?token=**')
  await inspect(t, dan, 'invitation')
  await dan.page.getByRole('button', { name: 'Join' }).click()
  await dan.page.waitForURL('**/orgs/engines?done=joined')
  await inspect(t, dan, 'org, as a viewer')
  t.equal(await dan.page.getByRole('button', { name: 'Invite' }).count(), 0)
  await dan.page.goto('/keys')
  await inspect(t, dan, 'keys, as a viewer')

  await page.goto('/orgs/engines')
  await page.getByRole('combobox', { name: 'Role of dan' }).selectOption('admin')
  await page.getByRole('button', { name: 'Save the role of dan' }).click()
  await page.getByRole('status').filter({ hasText: 'Saved' }).waitFor()
  await page.getByRole('button', { name: 'Leave' }).click()
  await page.getByRole('alert').filter({ hasText: 'owner' }).waitFor()
  await page.getByRole('button', { name: 'Give it away' }).click()
  await page.getByRole('status').filter({ hasText: 'Saved' }).waitFor()
  await page.getByRole('button', { name: 'Leave' }).click()
  await page.waitForURL('**/orgs?done=left')
  t.equal(await page.getByRole('link', { name: 'Analytical Engines' }).count(), 0)
  await page.goto('/keys')
  await page.waitForURL('**/orgs')
  await page.goto('/orgs/engines')
  t.equal(await heading(), 'Not found')
  await inspect(t, ada, 'not found')

  await dan.page.goto('/keys')
  const token = dan.page.locator('#new-token')
  await token.getByLabel('What it is for').fill('laptop')
  await token.getByRole('button').click()
  await dan.page
    .getByRole('status')
    .filter({ hasText: /molar_pat_[0-9A-Za-z]{49}/ })
    .waitFor()
  const key = dan.page.locator('#new-key')
  await key.getByLabel('What it is for').fill('ci')
  await key.getByRole('button').click()
  await dan.page
    .getByRole('status')
    .filter({ hasText: /molar_sk_[0-9A-Za-z]{49}/ })
    .waitFor()
  await inspect(t, dan, 'key, new')
  await sql(`update credentials set expires_at = now() + interval '3 days' where name = 'ci'`)
  await dan.page.goto('/keys')
  t.match(await dan.page.getByRole('main').innerText(), 'ci runs out in 2 days')
  await inspect(t, dan, 'keys')
  await dan.page.getByRole('button', { name: 'Renew ci' }).click()
  await dan.page.getByRole('status').filter({ hasText: 'It lasts as long again' }).waitFor()
  await dan.page.getByRole('button', { name: 'Revoke ci' }).click()
  await dan.page.getByRole('status').filter({ hasText: 'It is revoked' }).waitFor()
  t.equal(await dan.page.getByRole('button', { name: 'Revoke ci' }).count(), 0)
  await dan.page.goto('/orgs')
  await inspect(t, dan, 'orgs')
  await dan.page.getByRole('link', { name: 'Analytical Engines' }).click()
  const archive = dan.page.waitForEvent('download')
  await dan.page.getByRole('button', { name: 'Export everything' }).click()
  t.match((await archive).suggestedFilename(), /engines.*\.tar\.gz$/)
  await lookAtRecords()
  await dan.page.getByLabel('to make sure').fill('engine')
  await dan.page.getByRole('button', { name: 'Delete organisation' }).click()
  await dan.page.getByRole('alert').filter({ hasText: 'not the slug' }).waitFor()
  await dan.page.getByLabel('to make sure').fill('engines')
  await dan.page.getByRole('button', { name: 'Delete organisation' }).click()
  await dan.page.getByRole('status').filter({ hasText: 'The organisation and all that it had are gone' }).waitFor()
  await dan.context.close()
})

t.test('an app is connected, on a page that names it, and a device by its code', async (t) => {
  await sql(`insert into orgs (id, slug, name) values ('019301c0-cafe-7000-bea7-0000000000aa', 'looms', 'Looms')`)
  await sql(
    `insert into members (org_id, user_id, role) select '019301c0-cafe-7000-bea7-0000000000aa', id, 'owner' from users where email = '${email}'`,
  )
  const back = createServer((_request, response) => response.end('<title>The app</title>')).listen(0, '127.0.0.1')
  t.teardown(() => back.close())
  await once(back, 'listening')
  const redirect = `http://127.0.0.1:${(back.address() as AddressInfo).port}/callback`
  const metadata = { client_name: 'An agent', redirect_uris: [redirect], token_endpoint_auth_method: 'none' }
  const { client_id } = (await here.rest('POST /api/oauth/register', metadata, { authorization: '' })).body
  const query = { client_id, redirect_uri: redirect, response_type: 'code', code_challenge: 'a'.repeat(43) }
  await page.goto(`/api/oauth/authorize?${new URLSearchParams({ ...query, code_challenge_method: 'S256' })}`)
  t.equal(await heading(), 'Connect An agent?')
  t.match(await page.getByRole('main').innerText(), 'Start, rerun and cancel runs')
  await inspect(t, ada, 'consent')
  await page.getByRole('radio', { name: 'Looms' }).check()
  await page.getByRole('button', { name: 'Connect', exact: true }).click()
  await page.waitForURL(`${redirect}?code=**`)
  t.match(ada.complaints.splice(0), [redirect], 'the form’s policy lets the answer through, and nothing else left')

  await page.goto('/account/sessions')
  await page.getByRole('button', { name: 'Disconnect An agent' }).click()
  await page.getByRole('status').filter({ hasText: 'It has ended' }).waitFor()

  const ask = async (path: string, fields: Record<string, string>): Promise<Record<string, string>> => {
    const body = new URLSearchParams({ client_id: 'molar-cli', ...fields })
    const text = await (await fetch(`${origin}/api/oauth/${path}`, { method: 'POST', body })).text()
    return text === '' ? {} : JSON.parse(text)
  }
  const device = await ask('device', {})
  await page.goto(device.verification_uri_complete!)
  await inspect(t, ada, 'device')
  await page.getByRole('button', { name: 'Continue' }).click()
  await inspect(t, ada, 'consent for a device')
  await page.getByRole('radio', { name: 'Looms' }).check()
  await page.getByRole('button', { name: 'Connect', exact: true }).click()
  await page.getByRole('heading', { name: 'Connected' }).waitFor()
  await inspect(t, ada, 'device connected')
  const grant_type = 'urn:ietf:params:oauth:grant-type:device_code'
  const first = await ask('token', { grant_type, device_code: device.device_code! })
  const next = await ask('token', { grant_type: 'refresh_token', refresh_token: first.refresh_token! })
  t.match(next, { access_token: /./, refresh_token: /./ })
  await ask('revoke', { token: next.refresh_token! })
  const { rows } = await database.query(
    `select e.command, e.actor_kind, e.actor_name, o.slug from audit_events e join orgs o on o.id = e.org_id
     where e.command like 'apps.%' and o.slug = 'looms' order by e.seq`,
  )
  const app = { actor_kind: 'oauth', actor_name: 'Molar CLI', slug: 'looms' }
  t.match(
    rows.slice(-3),
    ['apps.token', 'apps.refresh', 'apps.revoke'].map((command) => ({ command, ...app })),
    'what the app does itself is on record where the org looks',
  )
  await page.goto('/api/oauth/authorize?client_id=nobody')
  await inspect(t, ada, 'app refused')
})

t.test('agents find their way in: a click for each application, and what to read', async (t) => {
  await page.goto('/install')
  await inspect(t, ada, 'install')
  const link = async (name: string) => (await page.getByRole('link', { name }).getAttribute('href')) ?? ''
  const cursor = new URL(await link('Add to Cursor'))
  t.equal(cursor.protocol, 'cursor:')
  t.strictSame(JSON.parse(atob(cursor.searchParams.get('config') ?? '')), { url: `${origin}/mcp` })
  const code = await link('Add to VS Code')
  t.strictSame(JSON.parse(decodeURIComponent(code.replace('vscode:mcp/install?', ''))), {
    name: 'molar',
    type: 'http',
    url: `${origin}/mcp`,
  })
  t.match(await page.getByRole('main').innerText(), `claude mcp add --transport http molar ${origin}/mcp`)
  const text = async (path: string) => (await fetch(origin + path)).text()
  t.match(await text('/llms.txt'), `${origin}/agents`)
  const guide = await text('/agents')
  for (const part of [`${origin}/mcp`, 'molar_run_scenarios', 'keys (', 'mcp:trace:read'])
    t.ok(guide.includes(part), part)
  t.ok(guide.length < 8000, `short: ${guide.length} characters`)
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
  await sql(`update sessions set created_at = now() - interval '16 minutes'`)
  await link.page.getByLabel('New address').fill('cyd@example.com')
  await link.page.getByRole('button', { name: 'Change address' }).click()
  await link.page.getByRole('heading', { name: 'Sign in again' }).waitFor()
  await link.page.goto('/account')
  if (await link.page.getByLabel('Name of the new passkey').isVisible()) {
    await link.page.getByLabel('Name of the new passkey').fill('Phone')
    await link.page.getByRole('button', { name: 'Add a passkey' }).click()
    await link.page.getByRole('heading', { name: 'Sign in again' }).waitFor()
    await link.page.goto('/account')
  }
  await link.page.getByRole('link', { name: 'Delete my account' }).click()
  await link.page.getByRole('heading', { name: 'Sign in again' }).waitFor()
  await inspect(t, link, 'sign in again')
  t.equal(await link.page.getByLabel('E-mail address for a link').inputValue(), 'cid@example.com')
  await link.page.getByRole('button', { name: 'Send me a link' }).click()
  await link.page.goto(/^http\S+$/m.exec(await mailTo(here.home, 'cid@example.com', 2))![0])
  await link.page.getByRole('button', { name: 'Sign in' }).click()
  await link.page.getByRole('heading', { name: 'Delete my account' }).waitFor()
  const { rows } = await database.query(
    `select count(*)::int as sessions from sessions s join users u on u.id = s.user_id where u.email = 'cid@example.com'`,
  )
  t.match(rows, [{ sessions: 1 }], 'the new session took the place of the old one')
  await inspect(t, link, 'delete account')
  await link.page.getByLabel('Your e-mail address').fill('cid@example.com')
  await link.page.getByRole('button', { name: 'Delete my account' }).click()
  await link.page.getByRole('heading', { name: 'Your account is gone' }).waitFor()
  await inspect(t, link, 'farewell')
})

/** What changes nothing that is to be on record, and why. */
const silent: Record<string, string> = {
  'POST /auth/passkey/challenge': 'a question; the answer is on record',
  'POST /account/passkeys/challenge': 'a question; the answer is on record',
  'POST /api/oauth/device': 'a code that nobody has typed opens nothing; typing it is on record, and so is the yes',
  'POST /api/oauth/introspect': 'a read',
  'POST /orgs/:org/export': 'a link for an owner; the archive that it gives is on record',
  'POST /orgs/:org/delete': 'an org’s trail ends with it; who ended it stays in org_purges',
  'POST /mcp': 'its commands are on record',
  'DELETE /mcp': 'ends a connection, and nothing that opens one',
}
/** GETs that do something. */
const acting = ['GET /exports/:org']

t.test('whatever a form, a sign-in or an app does is an audit event: each route that is no command', async (t) => {
  // What the windows above have not done.
  const eve = new Visitor(origin)
  const address = 'eve@example.com'
  await eve.send('/auth/signup', { name: 'Eve', email: address, password })
  await eve.send('/auth/verify', { token: fromLink(await mailTo(here.home, address), 'token') })
  await eve.send('/account/password', { current: password, next: `${password}, or three` })
  await eve.send('/account/email', { email: 'eva@example.com', password: `${password}, or three` })
  await eve.send('/account/sessions/end-others', {})
  await eve.send('/account/two-factor/off', { password: `${password}, or three` })
  const rest = async (path: string) => JSON.parse((await eve.get(path)).text)
  await eve.send('/orgs', { name: 'Eves', slug: 'eves', terms: 'yes' })
  await eve.send('/orgs/choose', { org: 'eves' })
  await eve.send('/orgs/eves/rename', { name: 'Eve and others' })
  await eve.send('/orgs/eves/invitations', { email: 'fay@example.com', role: 'viewer' })
  await eve.send('/orgs/eves/invitations/revoke', {
    id: (await rest('/api/v1/orgs/eves/invitations')).invitations[0].id,
  })
  await sql(`insert into members (org_id, user_id, role) select o.id, u.id, 'viewer' from orgs o, users u
    where o.slug = 'eves' and u.email = 'bea@example.com'`)
  const { members } = await rest('/api/v1/orgs/eves/members')
  await eve.send('/orgs/eves/members/remove', {
    user_id: members.find((one: { role: string }) => one.role === 'viewer').user_id,
  })
  await eve.send('/tokens', { name: 'mine', kind: 'pat', scopes: 'mcp:read', days: '30' })
  const { id } = (await rest('/api/v1/tokens')).tokens[0]
  await eve.send('/keys/renew', { id, org: 'eves' })
  await eve.send('/tokens/revoke', { id })

  const text = await readFile(new URL('../routes-without-command.txt', import.meta.url), 'utf8')
  const routes = text.trim().split('\n')
  const changing = [...routes.filter((route) => !route.startsWith('GET ') && !(route in silent)), ...acting]
  t.same(
    Object.keys(silent).filter((route) => !routes.includes(route)),
    [],
    'no exception for a route that is gone',
  )
  await lookAtRecords()
  const { rows: ended } = await database.query(
    `select org_slug, email from org_purges join users on users.id = started_by where status = 'completed'`,
  )
  t.match(ended, [{ org_slug: 'engines', email: 'dan@example.com' }])
  for (const route of changing) {
    const [method, path = ''] = route.split(' ')
    const pattern = new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}$`)
    const done = requests.filter((one) => one.method === method && pattern.test(one.path) && one.status < 400)
    t.ok(done.length > 0, `${route} was used`)
    t.same(
      done.filter((one) => !recorded.has(one.request_id)),
      [],
      `${route} is on record`,
    )
  }
})
