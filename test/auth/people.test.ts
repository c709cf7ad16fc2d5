import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import t from 'tap'
import { openPeople } from '../fixtures/people.ts'
import { cliHere } from '../fixtures/run-here.ts'
import { fromLink, mailTo, totp, Visitor } from '../fixtures/visitor.ts'
import { world } from '../fixtures/world.ts'

// How people come in and out, as a browser without scripts sees it: forms, cookies, mails.

const here = await world(t)
const database = new pg.Client({ connectionString: here.config.migrationUrl })
await database.connect()
t.teardown(() => database.end())
const sql = async (text: string, params: unknown[] = []) => {
  await database.query('begin; set local role molar_system')
  const { rows } = await database.query(text, params)
  await database.query('commit')
  return rows
}

const password = 'four words and a horse'
const visitor = () => new Visitor(here.url)

/** A person with an account, signed in by the link in the mail. */
async function member(name: string, from = visitor()): Promise<{ email: string; browser: Visitor }> {
  const email = `${name}@example.com`
  await from.send('/auth/signup', { name, email, password })
  await from.send('/auth/verify', { token: fromLink(await mailTo(here.home, email), 'token') })
  return { email, browser: from }
}
async function signIn(email: string, secret = password): Promise<{ browser: Visitor; status: number; text: string }> {
  const browser = visitor()
  const { status, text } = await browser.send('/auth/login', { email, password: secret })
  return { browser, status, text }
}
const me = async (browser: Visitor) => (await browser.get('/auth/me')).status
const heading = (text: string) => /<h1>(.*?)<\/h1>/.exec(text)?.[1]
const alert = (text: string) => /role="alert">([^<]+)</.exec(text)?.[1]

t.test('signing up takes a confirmed address, and tells nobody who has an account', async (t) => {
  const ada = visitor()
  const first = await ada.send('/auth/signup', { name: 'Ada', email: 'ada@example.com', password })
  t.equal(heading(first.text), 'Look into your mail')
  t.equal((await signIn('ada@example.com')).status, 403, 'not before the address is confirmed')
  const mail = await mailTo(here.home, 'ada@example.com')
  const [file = ''] = await readdir(join(here.home, 'outbox'))
  t.equal((await stat(join(here.home, 'outbox', file))).mode & 0o777, 0o600)
  const token = fromLink(mail, 'token')
  const looked = await ada.get(`/auth/verify?token=${token}`)
  t.match(looked.text, 'Yes, it is mine', 'a program that follows links confirms nothing')
  t.equal(await me(ada), 401)
  t.match(await ada.send('/auth/verify', { token }), { status: 303, location: '/orgs' })
  t.equal(await me(ada), 200)
  const replay = visitor()
  await replay.send('/auth/verify', { token })
  t.equal(await me(replay), 401, 'the link opens the account once')

  const again = await visitor().send('/auth/signup', {
    name: 'Ada',
    email: 'ADA@example.com',
    password: `${password}!`,
  })
  t.equal(again.text, first.text.replace('ada@', 'ADA@'), 'the same answer for an address that has an account')
  t.match(await mailTo(here.home, 'ada@example.com', 3), 'You have an account already')
  t.equal((await signIn('ada@example.com', `${password}!`)).status, 403, 'and the account is as it was')
})

t.test('a password is long, and not one that others guess first; nothing else is asked of it', async (t) => {
  const tried = async (chosen: string, email = 'weak@example.com') =>
    alert((await visitor().send('/auth/signup', { name: 'Weak', email, password: chosen })).text)
  t.match(await tried('eleven char'), 'at least 12')
  t.match(await tried('x'.repeat(257)), 'at most 256')
  t.match(await tried('123qweasdzxc'), 'Many people')
  t.match(await tried('Password12345!'), 'Many people')
  t.match(await tried('aaaaaaaaaaaaaa'), 'Many people')
  for (const guessed of [
    'passwordpassword',
    'P4$$w0rdDragon',
    'sunshine-princess',
    'dragon monkey1!',
    'abcdabcdabcd',
    'iloveyou12345678',
  ])
    t.match(await tried(guessed), 'Many people', guessed)
  t.match(await tried('weak@example.com'), 'your own name or address')
  for (const fine of ['all lower case words', 'velvet anchor 29 tulips', 'Kq7xTz2mWp4v', 'dragon under monkey'])
    t.equal(await tried(fine, `to-${fine.replaceAll(' ', '')}@example.com`), undefined, fine)
  t.equal(await tried('ж'.repeat(3) + '🐎 long enough'.repeat(9), 'fine2@example.com'), undefined)
})

t.test('a wrong password and an unknown address look the same and take as long', async (t) => {
  const strong = await world(t, { strongPasswords: true })
  const email = 'bob@example.com'
  await new Visitor(strong.url).send('/auth/signup', { name: 'Bob', email, password })
  const mail = await mailTo(strong.home, email)
  await new Visitor(strong.url).send('/auth/verify', { token: fromLink(mail, 'token') })
  const [{ password_hash }] = await (await openPeople(t, strong)).sql('select password_hash from accounts')
  t.match(password_hash, /^scrypt\$32768\$8\$3\$/, 'as OWASP asks')
  // By processor time, the server's is this process: the clock of a busy machine says little.
  const timed = async (address: string) => {
    const times: number[] = []
    let text = ''
    for (let round = 0; round < 2; round++) {
      const began = process.cpuUsage()
      const secret = 'a wrong password, long'
      text = (await new Visitor(strong.url).send('/auth/login', { email: address, password: secret })).text
      const { user, system } = process.cpuUsage(began)
      times.push((user + system) / 1000)
    }
    return { least: Math.min(...times), text: text.replaceAll(address, '').replaceAll(/value="[-\w]{36}"/g, '') }
  }
  const [known, unknown] = [await timed(email), await timed('nobody@example.com')]
  t.equal(known.text, unknown.text)
  t.ok(unknown.least > known.least / 2 && known.least > unknown.least / 2, `${known.least} and ${unknown.least} ms`)
})

t.test('each sign-in is a session of its own with a new token; the cookie is for the server alone', async (t) => {
  const { email } = await member('carol')
  const fixed = visitor()
  fixed.jar.set('molar_session', 'chosen-by-somebody-else.signature')
  const { cookies } = await fixed.send('/auth/login', { email, password })
  t.match(cookies.join(), /^molar_session=[A-Za-z0-9]{32}\.[^;]+; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax$/)
  const first = fixed.jar.get('molar_session')
  await fixed.send('/auth/login', { email, password })
  t.not(fixed.jar.get('molar_session'), first)
  t.equal(await me(fixed), 200)
  const elsewhere = visitor()
  await elsewhere.send('/auth/login', { email, password })
  const before = visitor()
  before.jar.set('molar_session', first!)
  t.equal(await me(before), 401, 'who signs in again leaves no session behind in that browser')
  const sent = await fixed.send('/auth/signout', {})
  t.match(sent, { status: 303, location: '/auth/login' })
  t.equal(await me(fixed), 401)
  t.equal(await me(elsewhere), 200, 'another session goes on')
})

t.test('a session that is used lives on, at most to its limit', async (t) => {
  const { email, browser } = await member('dora')
  const ends = async () =>
    (
      await sql(
        `select round(extract(epoch from s.expires_at - now()) / 86400)::int as days from sessions s join users u on u.id = s.user_id where u.email = $1`,
        [email],
      )
    )[0].days
  t.equal(await ends(), 7)
  const move = (created: string, used: string, end: string) =>
    sql(
      `update sessions set created_at = now() - interval '${created}', updated_at = now() - interval '${used}', expires_at = now() + interval '${end}'
       where user_id = (select id from users where email = $1)`,
      [email],
    )
  await move('5 days', '2 days', '5 days')
  t.equal(await me(browser), 200)
  t.equal(await ends(), 7, 'a week from its last use')
  await move('28 days', '2 days', '1 day')
  t.equal(await me(browser), 200)
  t.equal(await ends(), 2, 'a month from its beginning')
})

t.test(
  'a link by mail signs in once, whoever asks at the same time, and makes an account where there is none',
  async (t) => {
    const browser = visitor()
    const asked = await browser.send('/auth/magic-link', { email: 'eve@example.com', return_to: '/account' })
    t.equal(heading(asked.text), 'Look into your mail')
    const mail = await mailTo(here.home, 'eve@example.com')
    const fields = { token: fromLink(mail, 'token'), return_to: fromLink(mail, 'return_to') }
    const all = await Promise.all(
      [visitor(), visitor(), visitor()].map((one) => one.send('/auth/magic-link/open', fields)),
    )
    t.strictSame(all.map(({ status }) => status).sort(), [303, 403, 403])
    t.equal(all.find(({ status }) => status === 303)?.location, '/account')
  },
)

t.test('who signs up with an address of somebody else keeps nothing once its owner comes in', async (t) => {
  const email = 'lou@example.com'
  await visitor().send('/auth/signup', { name: 'Not Lou', email, password: 'chosen by somebody else' })
  const owner = visitor()
  await owner.send('/auth/magic-link', { email })
  await owner.send('/auth/magic-link/open', { token: fromLink(await mailTo(here.home, email, 2), 'token') })
  t.equal(await me(owner), 200)
  t.equal((await signIn(email, 'chosen by somebody else')).status, 403)
})

t.test('a forgotten password: one link, one use, and every session ends', async (t) => {
  const { email, browser } = await member('fay')
  t.equal(heading((await visitor().send('/auth/forgot', { email: 'nobody@example.com' })).text), 'Look into your mail')
  t.equal(heading((await visitor().send('/auth/forgot', { email })).text), 'Look into your mail')
  const token = fromLink(await mailTo(here.home, email, 2), 'token')
  const next = 'five quite other words here'
  t.match(alert((await visitor().send('/auth/reset', { token, password: 'short' })).text), 'at least 12')
  t.equal((await visitor().send('/auth/reset', { token, password: next })).status, 200)
  t.equal((await visitor().send('/auth/reset', { token, password: next })).status, 403)
  t.equal(await me(browser), 401, 'who was signed in is out')
  t.equal((await signIn(email)).status, 403)
  t.equal((await signIn(email, next)).status, 303)
  t.match(await mailTo(here.home, email, 3), 'Your password was changed')
})

t.test('changing the password or the address asks for the password; other sessions end', async (t) => {
  const { email, browser } = await member('gil')
  const { browser: other } = await signIn(email)
  const next = 'yet another few words'
  t.equal((await browser.send('/account/password', { current: 'a wrong password, long', next })).status, 403)
  const before = browser.jar.get('molar_session')
  t.equal((await browser.send('/account/password', { current: password, next })).status, 303)
  t.not(browser.jar.get('molar_session'), before)
  t.equal(await me(browser), 200)
  t.equal(await me(other), 401)

  t.equal((await browser.send('/account/email', { email: 'gil2@example.com', password })).status, 403)
  t.equal((await browser.send('/account/email', { email: 'gil2@example.com', password: next })).status, 303)
  t.match(await mailTo(here.home, email, 3), 'about to change')
  const token = fromLink(await mailTo(here.home, 'gil2@example.com'), 'token')
  t.equal((await signIn('gil2@example.com', next)).status, 403, 'not before the new address is confirmed')
  t.equal((await browser.send('/auth/verify', { token })).status, 303)
  t.match(JSON.parse((await browser.get('/auth/me')).text), { email: 'gil2@example.com' })
  t.equal(
    (await browser.send('/account/email', { email: 'ada@example.com', password: next })).status,
    303,
    'taken: the same answer',
  )
})

t.test(
  'two factors: after a password and after a link; a code once, a backup code once, wrong ones a few times',
  async (t) => {
    const { email, browser } = await member('hal')
    t.equal((await browser.send('/account/two-factor', { password: 'a wrong password, long' })).status, 403)
    const page = (await browser.send('/account/two-factor', { password })).text
    const key = /Key: <code>([A-Z2-7]+)</.exec(page)![1]!
    const backups = /<pre><code>([^<]+)</.exec(page)![1]!.split('\n')
    t.equal((await signIn(email)).browser.jar.has('molar_session'), true, 'not on before a code was shown')
    t.equal((await browser.send('/account/two-factor/confirm', { code: '000000' })).status, 403)
    t.equal((await browser.send('/account/two-factor/confirm', { code: totp(key) })).status, 303)
    t.equal(await me(browser), 200)

    const first = async () => {
      const { browser } = await signIn(email)
      t.equal(await me(browser), 401, 'the password alone opens nothing')
      return browser
    }
    const second = await first()
    const code = totp(key, 1)
    t.equal((await second.send('/auth/two-factor', { code: '000000', kind: 'app' })).status, 403)
    t.equal((await second.send('/auth/two-factor', { code, kind: 'app' })).status, 303)
    t.equal(await me(second), 200)
    const shoulder = await first()
    t.match(alert((await shoulder.send('/auth/two-factor', { code, kind: 'app' })).text), 'used already')
    t.equal(await me(shoulder), 401)

    const lost = await first()
    t.equal((await lost.send('/auth/two-factor', { code: backups[0]!, kind: 'backup' })).status, 303)
    t.equal(await me(lost), 200)
    t.equal((await (await first()).send('/auth/two-factor', { code: backups[0]!, kind: 'backup' })).status, 403)

    // Under a new key of the installation codes and backup codes go on, and the old key opens none of them.
    const rotated = await cliHere(here, ['secrets', 'rotate', '--new-key', '--json'], {
      DATABASE_URL: here.config.databaseUrl!,
      MOLAR_MIGRATION_URL: here.config.migrationUrl!,
    })
    t.match(JSON.parse(rotated.stdout), { new_key: true, second_factors: 1 }, rotated.stderr)
    for (const { stored } of await sql('select unnest(array[secret, backup_codes]) as stored from two_factors'))
      t.equal(Buffer.from(stored.split('.')[1], 'base64')[0], 2)
    t.equal((await (await first()).send('/auth/two-factor', { code: backups[1]!, kind: 'backup' })).status, 303)

    const linked = visitor()
    await linked.send('/auth/magic-link', { email })
    const token = fromLink(await mailTo(here.home, email, 3), 'token')
    t.match(await linked.send('/auth/magic-link/open', { token }), { status: 303, location: '/auth/two-factor' })
    t.equal(await me(linked), 401, 'nor does a link')
    await sql('delete from sign_in_limits') // as time would: only two codes are good for long enough
    t.equal((await linked.send('/auth/two-factor', { code: totp(key), kind: 'app' })).status, 303)

    const guesser = await first()
    const guesses: number[] = []
    for (let round = 0; round < 12; round++)
      guesses.push(
        (await guesser.send('/auth/two-factor', { code: String(round).padStart(6, '9'), kind: 'app' })).status,
      )
    t.ok(guesses.every((status) => status >= 400) && guesses.includes(429), String(guesses))
    t.equal((await linked.send('/account/two-factor/off', { password })).status, 303)
    t.equal((await signIn(email)).browser.jar.has('molar_session'), true)
  },
)

t.test('whoever runs the installation ends sessions, and helps who lost a factor', async (t) => {
  const { email, browser } = await member('liv')
  const page = (await browser.send('/account/two-factor', { password })).text
  await browser.send('/account/two-factor/confirm', { code: totp(/Key: <code>([A-Z2-7]+)</.exec(page)![1]!) })
  t.equal(await me((await signIn(email)).browser), 401)
  const molar = (...args: string[]) =>
    cliHere(here, ['people', 'sign-out', '--json', ...args], {
      DATABASE_URL: here.config.databaseUrl!,
      MOLAR_MIGRATION_URL: here.config.migrationUrl!,
    })
  t.equal((await molar('nobody@example.com')).code, 4)
  const done = await molar(email.toUpperCase(), '--lost-factor')
  t.match(JSON.parse(done.stdout), { people: 1, sessions: 1, apps: 0, second_factors: 1 }, done.stderr)
  t.equal(await me(browser), 401)
  t.equal(await me((await signIn(email)).browser), 200, 'without a code')
  t.match(await mailTo(here.home, email, 3), /Two-factor authentication is off/)
  const [event] = await sql(`select target, actor_name from audit_events where command = 'account.factorLost'`)
  t.match(event, { actor_name: /operator/, target: email.toUpperCase() })
  t.equal((await molar('--all', '--lost-factor')).code, 2)
})

t.test('ten tries an account: then the right password waits too, and others do not', async (t) => {
  const { email } = await member('ida')
  const statuses = []
  const tooLong = 'x'.repeat(300) // counts, and costs no hash
  for (let round = 0; round < 10; round++) statuses.push((await signIn(email, tooLong)).status)
  t.ok(!statuses.includes(429), String(statuses))
  const browser = visitor()
  const refused = await browser.send('/auth/login', { email: email.toUpperCase(), password })
  t.equal(refused.status, 429)
  t.match(alert(refused.text), 'Too many tries')
  t.equal((await signIn('ada@example.com')).status, 303)
})

t.test('an address that is too long to be one is refused, whatever form it is in', async (t) => {
  const email = `${'x'.repeat(255)}@example.com`
  for (const path of ['/auth/login', '/auth/signup', '/auth/magic-link', '/auth/forgot']) {
    const { status, text } = await visitor().send(path, { name: 'Long', email, password })
    t.equal(status, 422, path)
    t.match(alert(text), 'not an e-mail address')
  }
  const { browser } = await signIn('ada@example.com')
  t.equal((await browser.send('/account/email', { email, password })).status, 422)
})

t.test('a form counts only when a page of this server sent it', async (t) => {
  const fields = { email: 'ada@example.com', password }
  const from = (headers: Record<string, string>) => visitor().send('/auth/login', fields, headers)
  t.equal((await from({ 'sec-fetch-site': 'cross-site' })).status, 403, 'a sign-in forged from elsewhere')
  t.equal((await from({ 'sec-fetch-site': 'same-site' })).status, 403)
  const { browser } = await signIn('ada@example.com')
  t.equal((await browser.send('/account/name', { name: 'Eve' }, { 'sec-fetch-site': 'cross-site' })).status, 403)
  const routes = await readFile(new URL('../routes-without-command.txt', import.meta.url), 'utf8')
  const forms = routes.split('\n').filter((route) => /^POST (?!\/api\/|\/mcp|\/device)/.test(route))
  t.ok(forms.length > 35)
  const letIn: string[] = []
  for (const path of forms.map((route) => route.slice(5).replaceAll(/:\w+/g, 'local')))
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }])
      if ((await browser.send(path, {}, headers)).status !== 403) letIn.push(path)
  t.same(letIn, [], `${forms.length} forms`)
  t.equal(await me(browser), 200)
})

t.test('return_to leads to this server, and nowhere else', async (t) => {
  const { browser } = await signIn('ada@example.com')
  const to = async (return_to: string) =>
    (await browser.get(`/auth/login?${new URLSearchParams({ return_to })}`)).location
  const asked = { email: 'ada@example.com', password, return_to: '/account?x=1' }
  t.equal((await visitor().send('/auth/login', asked)).location, '/account?x=1')
  t.equal(await to('/account?x=1'), '/account?x=1')
  t.equal(await to(`${here.url}/account`), '/account')
  for (const hostile of [
    'https://evil.example/',
    '//evil.example/',
    '/\\evil.example/',
    '\\\\evil.example',
    'javascript:alert(1)',
    `${here.url}@evil.example/`,
    `${here.url}//evil.example`,
    '/\t/evil.example',
    ' //evil.example',
    `blob:${here.url}//evil.example`,
  ])
    t.equal(await to(hostile), '/orgs', hostile)
  t.match(await visitor().get('/account'), { status: 303, location: '/auth/login?return_to=%2Faccount' })
})

t.test('the old paths lead to the new ones, and say that they go', async (t) => {
  const { browser } = await signIn('ada@example.com')
  const old = await browser.get('/cp/auth/login?return_to=/account')
  t.match(old, { status: 308, location: '/auth/login?return_to=/account' })
  t.match(old.headers.get('deprecation'), /^@\d+$/)
  t.match(old.headers.get('link'), '</auth/login>; rel="successor-version"')
  t.match(await browser.get('/cp/auth/me'), { status: 200, text: /ada@example.com/ })
  t.match(await browser.send('/cp/auth/signout', {}), { status: 308, location: '/auth/signout' })
})

t.test('my sessions and my account by command; those of others are absent', async (t) => {
  const { browser } = await member('jan')
  const { browser: elsewhere } = await signIn('jan@example.com')
  const { browser: stranger } = await signIn('ada@example.com')
  const as = (who: Visitor) => ({ authorization: '', cookie: who.cookie, origin: here.url })
  const { items } = (await here.rest('GET /v1/sessions', undefined, as(browser))).body
  t.equal(items.length, 2)
  const other = items.find((one: { current: boolean }) => !one.current).id
  t.equal((await here.rest(`DELETE /v1/sessions/${other}`, undefined, as(stranger))).status, 404)
  t.equal(await me(elsewhere), 200)
  t.equal((await here.rest(`DELETE /v1/sessions/${other}`, undefined, as(browser))).status, 200)
  t.equal(await me(elsewhere), 401)
  t.equal((await here.rest('DELETE /v1/account', { confirm: 'other@example.com' }, as(browser))).status, 422)
  t.equal((await here.rest('GET /v1/account')).body.email.endsWith('@localhost'), true, 'the local owner has one, too')
  const [{ name }] = await sql(`select name from users where email like '%@localhost'`)
  const last = await here.rest('DELETE /v1/account', { confirm: `${name}@localhost` })
  t.match(last, { status: 409, body: { details: { orgs: ['local'] } } }, 'the last owner of an org stays')

  t.match((await here.rest('GET /auth/tenant-member?slug=local', undefined, as(browser))).body, { member: false })
  t.equal((await browser.send('/account/delete', { confirm: 'jan@example.com', password: 'wrong' })).status, 403)
  t.equal(
    heading((await browser.send('/account/delete', { confirm: 'jan@example.com', password })).text),
    'Your account is gone',
  )
  t.equal(await me(browser), 401)
  t.equal((await signIn('jan@example.com')).status, 403)
  t.strictSame(await sql('select id from users where email = $1', ['jan@example.com']), [])
})

t.test('the database holds no password, no session’s token and no link', async (t) => {
  const { browser } = await signIn('ada@example.com')
  await visitor().send('/auth/magic-link', { email: 'kay@example.com' })
  const link = fromLink(await mailTo(here.home, 'kay@example.com'), 'token')
  const secrets = [password, browser.jar.get('molar_session')!.split('.')[0]!, link]
  const tables = await sql(
    `select quote_ident(table_schema) || '.' || quote_ident(table_name) as name from information_schema.tables
     where table_schema in ('public', 'pgboss') and table_type = 'BASE TABLE'`,
  )
  let rows = 0
  for (const { name } of tables) {
    const found = await database.query(`select t::text as row from ${name} t`)
    rows += found.rows.length
    for (const { row } of found.rows)
      for (const secret of secrets)
        if (row.includes(secret) || row.includes(Buffer.from(secret).toString('hex'))) t.fail(`${name}: ${row}`)
  }
  t.ok(rows > 50, `${rows} rows were read`)
})

t.test('an address that tries too often waits, whatever it tries', async (t) => {
  const open = async () => (await visitor().send('/auth/magic-link/open', { token: 'nobody-has-sent-this' })).status
  let last = 0
  for (let round = 0; round < 100 && last !== 429; round++) last = await open()
  t.equal(last, 429)
  t.equal((await signIn('ada@example.com')).status, 429)
})

t.test('who came in, and who did not, is on record', async (t) => {
  const rows = await sql(
    `select command, result, count(*)::int as count from audit_events where org_id = '00000000-0000-0000-0000-000000000000' group by 1, 2`,
  )
  const count = (command: string, result: string) =>
    rows.find((one) => one.command === command && one.result === result)?.count ?? 0
  t.ok(count('auth.signIn', 'ok') > 5)
  t.ok(count('auth.signIn', 'forbidden') > 5)
  for (const event of [
    'auth.signUp',
    'auth.verifyEmail',
    'auth.sendLink',
    'auth.secondFactor',
    'auth.reset',
    'account.changePassword',
    'account.twoFactorOn',
  ])
    t.ok(count(event, 'ok') > 0, event)
  t.ok(count('auth.secondFactor', 'forbidden') > 0)
  t.ok(count('account.delete', 'ok') > 0, 'commands of pages are recorded as everywhere')
})
