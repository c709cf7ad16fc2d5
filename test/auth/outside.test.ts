import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import t from 'tap'
import { freePort } from '../fixtures/free-port.ts'
import { oidcProvider } from '../fixtures/oidc.ts'
import { fromLink, totp, Visitor } from '../fixtures/visitor.ts'
import { world } from '../fixtures/world.ts'

// What lies outside: mails by SMTP, an OIDC provider, GitHub; each a real server, or one that speaks the real protocol, on
// loopback. This server believes to be behind https.

const port = await freePort()
const origin = `https://127.0.0.1:${port}`
const plain = `http://127.0.0.1:${port}`
const otherPort = await freePort()
const provider = await oidcProvider(t, `${origin}/auth/callback`, `http://127.0.0.1:${otherPort}/auth/callback`)
const github = await fakeGithub()

const mails: string[] = []
let refusals = 1
const smtp = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS'],
  onRcptTo({ address }, _session, done) {
    if (address === 'gone@example.com') return done(Object.assign(new Error('No such mailbox'), { responseCode: 550 }))
    done()
  },
  onData(stream, _session, done) {
    let text = ''
    stream.on('data', (chunk) => (text += chunk))
    stream.on('end', () => {
      if (refusals-- > 0) return done(Object.assign(new Error('Come back later'), { responseCode: 451 }))
      mails.push(text)
      done()
    })
  },
})
await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve))
t.teardown(() => new Promise<void>((resolve) => smtp.close(() => resolve())))

await world(t, {
  environment: {
    MOLAR_PORT: String(port),
    MOLAR_PUBLIC_URL: origin,
    MOLAR_TRUSTED_PROXIES: '127.0.0.1',
    MOLAR_SMTP_URL: `smtp://127.0.0.1:${(smtp.server.address() as AddressInfo).port}`,
    MOLAR_MAIL_FROM: 'Molar <molar@example.org>',
    MOLAR_OIDC_ISSUER: provider.issuer,
    MOLAR_OIDC_CLIENT_ID: 'molar',
    MOLAR_OIDC_CLIENT_SECRET: 'the secret of the client',
    MOLAR_OIDC_NAME: 'Example',
    MOLAR_GITHUB_URL: github.url,
    MOLAR_GITHUB_CLIENT_ID: 'molar-at-github',
    MOLAR_GITHUB_CLIENT_SECRET: 'the secret at github',
  },
})

/** Pages are asked for over plain http, as the proxy that does TLS would. */
const visitor = () => new Visitor(plain)
const overHttp = (location: string) => location.replace(origin, plain)
const me = async (browser: Visitor) => {
  const { status, text } = await browser.get('/auth/me')
  return status === 200 ? JSON.parse(text).email : status
}

t.test('a mail is sent by SMTP, tried again when the server is busy, once', async (t) => {
  const browser = visitor()
  await browser.send('/auth/magic-link', { email: 'nia@example.com' })
  await browser.send('/auth/magic-link', { email: 'gone@example.com' })
  await until(() => mails.length === 1)
  const [mail = ''] = mails
  t.match(mail, /^From: Molar <molar@example.org>\r$/m)
  t.match(mail, /^To: nia@example.com\r$/m)
  t.match(mail, /^Message-ID: <[-\w]{36}@example.org>\r$/m)
  t.equal(refusals, -1, 'the first try was refused')
  const text = mail.replaceAll('=\r\n', '').replaceAll('=3D', '=').replaceAll('\r', '')
  const opened = await browser.send(
    '/auth/magic-link/open',
    { token: fromLink(text, 'token') },
    { 'x-forwarded-for': '203.0.113.9' },
  )
  t.match(
    opened.cookies.join(),
    /^__Host-molar_session=[^;]+; Max-Age=2592000; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  )
  t.equal(await me(browser), 'nia@example.com')
  t.match((await browser.get('/account/sessions')).text, '<td>203.0.113.9</td>', 'whose address the proxy tells')
  t.match(opened.headers.get('strict-transport-security'), /max-age/)
})

t.test('over https, cookies that another host could set open nothing', async (t) => {
  const browser = visitor()
  await browser.send('/auth/magic-link', { email: 'ola@example.com' })
  await until(() => mails.some((mail) => mail.includes('To: ola@example.com')))
  const mail = mails.find((one) => one.includes('To: ola@example.com')) ?? ''
  const text = mail.replaceAll('=\r\n', '').replaceAll('=3D', '=').replaceAll('\r', '')
  await browser.send('/auth/magic-link/open', { token: fromLink(text, 'token') })
  t.equal(await me(browser), 'ola@example.com')
  const planted = visitor()
  planted.jar.set('molar_session', browser.jar.get('__Host-molar_session')!)
  t.equal(await me(planted), 401, 'a subdomain can set this one for all, and would have others work in its session')

  const metadata = {
    client_name: 'An app',
    redirect_uris: ['https://app.example/'],
    token_endpoint_auth_method: 'none',
  }
  const registered = await fetch(`${plain}/api/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(metadata),
  })
  const { client_id } = (await registered.json()) as { client_id: string }
  const asked = { client_id, response_type: 'code', code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' }
  const begun = await browser.get(`/api/oauth/authorize?${new URLSearchParams(asked)}`)
  t.match(begun.location, '/oauth/consent/')
  t.match(begun.cookies, [/^__Secure-molar_oauth_consent=.*; secure; httponly/i, /^__Secure-molar_oauth_resume=/])
  t.match((await browser.get(begun.location!)).text, 'An app')
  t.match((await browser.get('/device')).cookies, [/^__Host-molar_oauth=[^;]+; path=\/;.* secure; httponly/i])
})

t.test(
  'signing in at an OIDC provider: there, back to where one wanted to go, and the same account the next time',
  async (t) => {
    t.match((await visitor().get('/auth/login')).text, 'Continue with Example')
    const enter = async (name: string) => {
      const browser = visitor()
      const begun = await browser.get('/auth/login?provider=oidc&return_to=/account')
      const back = await provider.signIn(begun.location!, name)
      return { browser, back, answer: await browser.get(overHttp(back)) }
    }
    const { browser, back, answer } = await enter('lea')
    t.match(answer, { status: 303, location: '/account' })
    t.equal(await me(browser), 'lea@example.com')
    const again = await enter('lea')
    t.equal(
      JSON.parse((await again.browser.get('/auth/me')).text).user_id,
      JSON.parse((await browser.get('/auth/me')).text).user_id,
    )
    t.match((await browser.get('/account')).text, 'You can also sign in through oidc')

    t.equal((await browser.get(overHttp(back))).status, 403, 'an answer counts once')
    const other = visitor()
    t.equal((await other.get(overHttp((await enter('lea')).back))).status, 403, 'and in the browser that asked')
    t.equal(await me(other), 401)
    const unconfirmed = await enter('mia')
    t.equal(await me(unconfirmed.browser), 401, 'an address that the provider has not confirmed is nobody’s')
    t.equal((await visitor().get('/auth/login?provider=google')).status, 404, 'one that is not set up')
  },
)

t.test('a provider that calls itself by another name than the configured one lets nobody in', async (t) => {
  const server = await world(t, {
    environment: {
      MOLAR_PORT: String(otherPort),
      MOLAR_OIDC_ISSUER: provider.issuer.replace('127.0.0.1', 'localhost'),
      MOLAR_OIDC_CLIENT_ID: 'molar',
      MOLAR_OIDC_CLIENT_SECRET: 'the secret of the client',
    },
  })
  const browser = new Visitor(server.url)
  const { location } = await browser.get('/auth/login?provider=oidc')
  const back = await provider.signIn(location!, 'lea')
  t.match(back, `${server.url}/auth/callback?code=`)
  const answer = await browser.get(back)
  t.ok(answer.status >= 400, `${answer.status}`)
  t.equal((await browser.get('/auth/me')).status, 401)
})

t.test('signing in with GitHub: the confirmed address counts, and joins the account that has it', async (t) => {
  const browser = visitor()
  const begun = await browser.get('/auth/login?provider=github')
  const asked = new URL(begun.location!)
  t.match(asked.href, `${github.url}/login/oauth/authorize`)
  t.equal(asked.searchParams.get('redirect_uri'), `${origin}/auth/callback/github`)
  t.equal(asked.searchParams.get('code_challenge_method'), 'S256')
  const state = asked.searchParams.get('state')!
  const answer = await browser.get(`/auth/callback/github?${new URLSearchParams({ code: 'a code', state })}`)
  t.match(answer, { status: 303, location: '/orgs' })
  t.equal(await me(browser), 'lea@example.com')
  t.match((await browser.get('/account')).text, 'through github, oidc')
  t.equal(github.secrets.join(), 'the secret at github')

  const key = /Key: <code>([A-Z2-7]+)</.exec((await browser.send('/account/two-factor', {})).text)![1]!
  await browser.send('/account/two-factor/confirm', { code: totp(key) })
  const next = visitor()
  const start = (await next.get('/auth/login?provider=oidc')).location!
  const half = await next.get(overHttp(await provider.signIn(start, 'lea')))
  t.match(half, { status: 303, location: '/auth/two-factor' }, 'a provider is the first of two factors')
  t.equal(await me(next), 401)
  t.equal((await next.send('/auth/two-factor', { code: totp(key, 1), kind: 'app' })).status, 303)
  t.equal(await me(next), 'lea@example.com')
})

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400 && !holds(); tries++) await new Promise((resolve) => setTimeout(resolve, 50))
}

/** What GitHub's documentation says of these three endpoints. */
async function fakeGithub(): Promise<{ url: string; secrets: string[] }> {
  const secrets: string[] = []
  const answers: Record<string, (request: IncomingMessage, body: string) => unknown> = {
    '/login/oauth/access_token': (_request, body) => {
      secrets.push(new URLSearchParams(body).get('client_secret') ?? '')
      return { access_token: 'gho_test', token_type: 'bearer', scope: 'read:user,user:email' }
    },
    '/api/v3/user': () => ({ id: 4711, login: 'lea', name: null }),
    '/api/v3/user/emails': () => [
      { email: 'unconfirmed@example.com', primary: false, verified: false },
      { email: 'lea@example.com', primary: true, verified: true },
    ],
  }
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      const answer = answers[request.url ?? '']
      const allowed = request.method === 'POST' || request.headers.authorization === 'Bearer gho_test'
      response.writeHead(answer && allowed ? 200 : 401, { 'content-type': 'application/json' })
      response.end(JSON.stringify(answer && allowed ? answer(request, body) : { message: 'Bad credentials' }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => new Promise((resolve) => server.close(resolve)))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, secrets }
}
