import { execFile } from 'node:child_process'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import * as oauth from 'oauth4webapi'
import { pino } from 'pino'
import t from 'tap'
import { forget } from '../../src/auth/oauth/store.ts'
import { readConfig } from '../../src/config.ts'
import { makeKeyring } from '../../src/core/keyring.ts'
import { openDatabase, silentLog } from '../../src/db/index.ts'
import { serve } from '../../src/server/serve.ts'
import { freePort } from '../fixtures/free-port.ts'
import { browser } from '../fixtures/page-browser.ts'
import { openPeople } from '../fixtures/people.ts'
import { runCli, scratch } from '../fixtures/run-cli.ts'
import { bareOutside, runHere } from '../fixtures/run-here.ts'
import { world } from '../fixtures/world.ts'

// The authorization server, with a strict client (oauth4webapi) and a browser without scripts.

const here = await world(t)
const { person, org, session, sql } = await openPeople(t, here)

const ada = await person('ada')
const bob = await person('bob')
const one = await org('one', { [ada]: 'owner', [bob]: 'viewer' })
const two = await org('two', { [ada]: 'maintainer' })

const issuer = new URL(here.url)
const insecure = { [oauth.allowInsecureRequests]: true }
const as = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }),
)
const resource = `${here.url}/mcp`
const redirect = 'http://127.0.0.1:49152/callback'

async function register(metadata: Record<string, unknown> = {}): Promise<oauth.Client> {
  const asked = {
    client_name: 'A strict client',
    redirect_uris: [redirect],
    token_endpoint_auth_method: 'none',
    ...metadata,
  }
  return oauth.processDynamicClientRegistrationResponse(
    await oauth.dynamicClientRegistrationRequest(as, asked as Partial<oauth.Client>, insecure),
  )
}

interface Wanted {
  scope?: string | undefined
  resource?: string
  redirect?: string
  more?: Record<string, string>
}

/** From the authorization request to the answer at the redirect; the verifier goes with it. */
async function authorize(client: oauth.Client, cookie: string | undefined, wanted: Wanted = {}, answer = {}) {
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const url = new URL(as.authorization_endpoint!)
  const params = {
    client_id: client.client_id,
    response_type: 'code',
    redirect_uri: wanted.redirect ?? redirect,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    resource: wanted.resource ?? resource,
    ...(wanted.scope !== undefined && { scope: wanted.scope }),
    ...wanted.more,
  }
  for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value)
  const seen = await browser(here.url, cookie).connect(url.href, answer)
  return { seen, verifier, state }
}

async function exchange(
  client: oauth.Client,
  { seen, verifier, state }: Awaited<ReturnType<typeof authorize>>,
  at = redirect,
) {
  const answer = oauth.validateAuthResponse(as, client, new URL(seen.url), state)
  const response = await oauth.authorizationCodeGrantRequest(as, client, oauth.None(), answer, at, verifier, insecure)
  return oauth.processAuthorizationCodeResponse(as, client, response)
}

const signIn = async (cookie: string, wanted?: Wanted, answer = {}) => {
  const client = await register()
  return { client, tokens: await exchange(client, await authorize(client, cookie, wanted, answer)) }
}
const refresh = async (client: oauth.Client, token: string) =>
  oauth.processRefreshTokenResponse(
    as,
    client,
    await oauth.refreshTokenGrantRequest(as, client, oauth.None(), token, insecure),
  )
const me = (token: string) => here.rest('GET /v1/me', undefined, { authorization: `Bearer ${token}` })
/** The OAuth error that comes instead. */
const errorOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: { error?: string; cause?: unknown }) => error.error ?? String(error),
  )
const param = (seen: { url: string }, name: string) => new URL(seen.url).searchParams.get(name)

t.test('the metadata says what is there, and nothing that is not', async (t) => {
  t.match(as, {
    issuer: here.url,
    authorization_endpoint: `${here.url}/api/oauth/authorize`,
    token_endpoint: `${here.url}/api/oauth/token`,
    registration_endpoint: `${here.url}/api/oauth/register`,
    revocation_endpoint: `${here.url}/api/oauth/revoke`,
    introspection_endpoint: `${here.url}/api/oauth/introspect`,
    device_authorization_endpoint: `${here.url}/api/oauth/device`,
    code_challenge_methods_supported: ['S256'],
    response_types_supported: ['code'],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
  })
  t.notOk(
    Object.keys(as).some((name) => /^(id_token|claims|subject|userinfo|jwks)/.test(name)),
    'no OpenID Connect',
  )
  const { auth } = (await here.rest('GET /.well-known/molar-capabilities.json')).body
  const { oauth2 } = auth
  t.strictSame(auth.schemes, ['bearer', 'oauth2'])
  t.match(oauth2, { issuer: as.issuer, resource, codeChallengeMethods: as.code_challenge_methods_supported })
  for (const [name, url] of Object.entries(oauth2.endpoints)) t.ok(Object.values(as).includes(url as string), name)
  t.strictSame((await (await fetch(oauth2.metadata)).json()) as object, as, 'the manifest leads to it')
  t.equal(((await (await fetch(oauth2.resourceMetadata)).json()) as { resource: string }).resource, resource)
  const suffixed = await here.rest('GET /.well-known/oauth-authorization-server/mcp')
  t.strictSame(suffixed.body, as)
  for (const path of ['', '/mcp'])
    t.match((await here.rest(`GET /.well-known/oauth-protected-resource${path}`)).body, {
      resource,
      authorization_servers: [here.url],
      scopes_supported: /mcp:read/,
    })
})

t.test('the protocol’s own suite for authorization servers finds nothing wrong', async (t) => {
  const port = await freePort()
  const { client_id } = await register({ redirect_uris: [`http://127.0.0.1:${port}/callback`] })
  const suite = fileURLToPath(
    new URL('../../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
  )
  const given = [
    'authorization',
    '--url',
    here.url,
    '--client-id',
    client_id,
    '--resource',
    resource,
    '--port',
    `${port}`,
  ]
  let answered = false
  const child = execFile(process.execPath, [suite, ...given], { timeout: 60_000 })
  const said = await new Promise<string>((resolve) => {
    let text = ''
    child.stderr!.on('data', (chunk) => (text += chunk))
    child.stdout!.on('data', async (chunk) => {
      text += chunk
      // It prints where a person should go, and waits for the answer.
      const url = /http:\S+\/api\/oauth\/authorize\?\S+/.exec(text)?.[0]
      if (!url || answered) return
      answered = true
      const { url: back } = await browser(here.url, await session(ada)).connect(url, { org: one })
      await fetch(back)
    })
    child.once('close', () => resolve(text))
  })
  t.match(said, /Total: [1-9]\d* passed, 0 failed/)
  t.equal(child.exitCode, 0)
})

t.test(
  'code with PKCE: the app acts in the org that was chosen, as the person, until it is disconnected',
  async (t) => {
    const cookie = await session(ada)
    const { tokens } = await signIn(cookie, { scope: 'mcp:read mcp:write' }, { org: two })
    t.match(tokens, {
      token_type: 'bearer',
      expires_in: 3600,
      scope: 'mcp:read mcp:write',
      refresh_token: /^[\w-]{43}$/,
    })
    t.match((await me(tokens.access_token)).body, {
      org: { slug: 'two' },
      user: { id: ada },
      role: 'maintainer',
      scopes: ['mcp:read', 'mcp:write'],
      credential: { kind: 'oauth', name: 'A strict client' },
    })
    const mine = { authorization: '', cookie, origin: here.url }
    const { items } = (await here.rest('GET /v1/apps', undefined, mine)).body
    t.match(items, [{ name: 'A strict client', redirect_host: '127.0.0.1:49152', org: { slug: 'two' } }])
    const bobs = { ...mine, cookie: await session(bob) }
    t.strictSame((await here.rest('GET /v1/apps', undefined, bobs)).body.items, [])
    t.equal((await here.rest(`DELETE /v1/apps/${items[0].id}`, undefined, bobs)).status, 404)
    t.equal((await here.rest(`DELETE /v1/apps/${items[0].id}`, undefined, mine)).status, 200)
    t.equal((await me(tokens.access_token)).status, 401)
  },
)

t.test('a code is good once, for its client, its redirect and its verifier', async (t) => {
  const cookie = await session(ada)
  const client = await register()
  const fresh = () => authorize(client, cookie)
  t.equal(
    await errorOf(fresh().then((code) => exchange(client, { ...code, verifier: oauth.generateRandomCodeVerifier() }))),
    'invalid_grant',
  )
  t.equal(await errorOf(fresh().then((code) => exchange(client, code, `${redirect}2`))), 'invalid_grant')
  const other = await register()
  t.equal(await errorOf(fresh().then((code) => exchange(other, code))), 'invalid_grant')

  const code = await fresh()
  const first = await exchange(client, code)
  t.equal((await me(first.access_token)).status, 200)
  t.equal(await errorOf(exchange(client, code)), 'invalid_grant')
  t.equal((await me(first.access_token)).status, 401, 'somebody has a copy of the code: all that it gave ends')

  const raced = await fresh()
  const tries = await Promise.allSettled([1, 2, 3, 4].map(() => exchange(client, raced)))
  t.ok(tries.filter(({ status }) => status === 'fulfilled').length <= 1, 'never two')
})

t.test('PKCE is asked of everybody, with S256 alone', async (t) => {
  const client = await register()
  const ask = async (more: Record<string, string>) => {
    const query = new URLSearchParams({
      client_id: client.client_id,
      response_type: 'code',
      redirect_uri: redirect,
      state: 's',
      ...more,
    })
    return browser(here.url, await session(ada)).visit(`${as.authorization_endpoint}?${query}`)
  }
  t.equal(param(await ask({}), 'error'), 'invalid_request')
  const plain = await ask({ code_challenge: 'a'.repeat(43), code_challenge_method: 'plain' })
  t.equal(param(plain, 'error'), 'invalid_request')
  t.equal(param(plain, 'iss'), here.url)
  const implicit = await ask({ code_challenge: 'a'.repeat(43), code_challenge_method: 'S256', response_type: 'token' })
  t.match(implicit.url, '#error=invalid_request')
})

t.test('what never gets to a redirect is a page', async (t) => {
  const client = await register()
  const visit = (query: Record<string, string>) =>
    browser(here.url).visit(`${as.authorization_endpoint}?${new URLSearchParams(query)}`)
  const elsewhere = await visit({
    client_id: client.client_id,
    response_type: 'code',
    redirect_uri: 'https://evil.example/',
  })
  t.match(elsewhere, { status: 400, body: /redirect_uri/, url: /^http:\/\/127/ })
  t.match(elsewhere.headers.get('content-security-policy'), /default-src 'none'/)
  t.match(await visit({ client_id: 'nobody', response_type: 'code', redirect_uri: redirect }), {
    status: 400,
    body: /<h1>/,
  })
  t.equal((await visit({ client_id: 'a\0b', response_type: 'code', redirect_uri: redirect })).status, 400)
  t.match(await browser(here.url, await session(ada)).visit(`${here.url}/oauth/consent/unknown`), {
    status: 404,
    body: /run out/,
  })
})

t.test('refresh tokens rotate; two refreshes at once both work; a late one ends the whole grant', async (t) => {
  const { client, tokens } = await signIn(await session(ada))
  const old = tokens.refresh_token!
  const [a, b] = await Promise.all([refresh(client, old), refresh(client, old)])
  t.not(a.refresh_token, old)
  for (const { access_token } of [tokens, a, b]) t.equal((await me(access_token)).status, 200)
  const next = await refresh(client, a.refresh_token!)
  t.equal((await me(next.access_token)).status, 200)
  const ids = await Promise.all(
    [tokens, a, next].map(async ({ access_token }) => (await me(access_token)).body.credential.id),
  )
  t.equal(new Set(ids).size, 1, 'one credential through all of it')

  await sql(`update oauth_records set consumed_at = consumed_at - interval '11 seconds' where model = 'RefreshToken'`)
  t.equal(await errorOf(refresh(client, old)), 'invalid_grant')
  t.equal(await errorOf(refresh(client, next.refresh_token!)), 'invalid_grant')
  t.equal((await me(next.access_token)).status, 401)
})

t.test('however much an app is used, the person is asked again after a year', async (t) => {
  const { client, tokens } = await signIn(await session(ada))
  const keyring = makeKeyring(await readFile(join(here.home, 'secret'), 'utf8'))
  const [{ fingerprint, payload }] = await sql(
    `select fingerprint, payload from oauth_records where model = 'Grant' order by expires_at desc limit 1`,
  )
  const about = `oauth|Grant|${fingerprint.toString('hex')}`
  const grant = JSON.parse(keyring.open(payload, about))
  t.equal(Math.round((grant.exp - grant.iat) / 86_400), 365)
  const endsIn = (seconds: number) =>
    sql(`update oauth_records set payload = $2 where fingerprint = $1`, [
      fingerprint,
      keyring.seal(JSON.stringify({ ...grant, exp: Math.floor(Date.now() / 1000) + seconds }), about),
    ])
  await endsIn(1000)
  const next = await refresh(client, tokens.refresh_token!)
  const [{ left }] = await sql(
    `select extract(epoch from max(expires_at) - now())::int as left from oauth_records
     where model = 'RefreshToken' and grant_id = $1`,
    [grant.jti],
  )
  t.ok(left > 1000, 'the first was made for longer')
  const [{ last }] = await sql(
    `select extract(epoch from expires_at - now())::int as last from oauth_records
     where model = 'RefreshToken' and grant_id = $1 order by expires_at limit 1`,
    [grant.jti],
  )
  t.ok(last <= 1000, `a refresh token does not outlive the grant: ${last} s`)
  await endsIn(-1)
  t.equal(await errorOf(refresh(client, next.refresh_token!)), 'invalid_grant')
})

t.test('revoking either token ends both; a stranger can neither revoke nor look', async (t) => {
  const cookie = await session(ada)
  const stranger = await register()
  const revoke = async (client: oauth.Client, token: string) =>
    oauth.processRevocationResponse(await oauth.revocationRequest(as, client, oauth.None(), token, insecure))
  const look = async (client: oauth.Client, token: string) =>
    oauth.processIntrospectionResponse(
      as,
      client,
      await oauth.introspectionRequest(as, client, oauth.None(), token, insecure),
    )
  for (const which of ['access_token', 'refresh_token'] as const) {
    const { client, tokens } = await signIn(cookie)
    t.match(await look(client, tokens.access_token), {
      active: true,
      aud: resource,
      client_id: client.client_id,
      sub: ada,
    })
    t.strictSame(await look(stranger, tokens.access_token), { active: false })
    await revoke(stranger, tokens[which]!)
    t.equal((await me(tokens.access_token)).status, 200)
    await revoke(client, tokens[which]!)
    t.strictSame(await look(client, tokens.access_token), { active: false })
    t.equal((await me(tokens.access_token)).status, 401)
    t.equal(await errorOf(refresh(client, tokens.refresh_token!)), 'invalid_grant')
  }
})

t.test('tokens are for this server’s resource, and scopes are what was asked for, else the usual ones', async (t) => {
  const cookie = await session(ada)
  const client = await register()
  t.equal(
    param((await authorize(client, cookie, { resource: 'https://elsewhere.example/mcp' })).seen, 'error'),
    'invalid_target',
  )
  const scopeOf = async (wanted: Wanted) => (await exchange(client, await authorize(client, cookie, wanted))).scope
  t.equal(await scopeOf({ resource: `${resource}/` }), 'mcp:read mcp:write mcp:run mcp:trace:read')
  t.equal(await scopeOf({ scope: 'openid profile' }), 'mcp:read mcp:write mcp:run mcp:trace:read')
  t.equal(await scopeOf({ scope: 'mcp:read offline_access unheard:of' }), 'mcp:read')
  const [token] = await sql(`select scopes from credentials where kind = 'oauth' order by id desc limit 1`)
  t.strictSame(token.scopes, ['mcp:read'])
})

t.test(
  'nobody signed in: to the sign-in page and back; a client that may not ask is told what is missing',
  async (t) => {
    const client = await register()
    const { seen } = await authorize(client, undefined)
    t.match(new URL(seen.url).pathname, '/auth/login')
    t.match(param(seen, 'return_to'), /^\/oauth\/consent\//)
    const silent = { more: { prompt: 'none' } }
    t.equal(param((await authorize(client, undefined, silent)).seen, 'error'), 'login_required')
    t.equal(param((await authorize(client, await session(ada), silent)).seen, 'error'), 'consent_required')
  },
)

t.test('the person may say no, is shown who asks, and lets nobody into an org of others', async (t) => {
  const cookie = await session(bob)
  const client = await register({
    client_name: '<b>Claude</b>\u202e',
    redirect_uris: ['https://claude.ai/api/mcp/auth_callback'],
  })
  const wanted = { redirect: 'https://claude.ai/api/mcp/auth_callback', scope: 'mcp:read mcp:run' }
  const { seen } = await authorize(client, cookie, wanted, { no: true })
  t.match(seen.url, /^https:\/\/claude\.ai\/api\/mcp\/auth_callback\?error=access_denied/)
  t.equal(param(seen, 'iss'), here.url)
  t.match((await authorize(client, cookie, wanted, { org: two })).seen, { status: 403, body: /not a member/ })

  const query = new URLSearchParams({
    client_id: client.client_id,
    response_type: 'code',
    redirect_uri: wanted.redirect,
    scope: wanted.scope,
    code_challenge: 'a'.repeat(43),
    code_challenge_method: 'S256',
  })
  const page = await browser(here.url, cookie).visit(`${as.authorization_endpoint}?${query}`)
  t.match(page.body, '&lt;b&gt;Claude&lt;/b&gt;')
  t.notMatch(page.body, '\u202e')
  t.match(page.body, 'claude.ai')
  t.match(page.body, 'Start, rerun and cancel runs')
  t.match(page.body, 'one, you are viewer')
  t.notMatch(page.body, 'two, you are')
  t.match(page.headers.get('content-security-policy'), /form-action 'self' https:\/\/claude\.ai;/)
})

t.test('a consent that is sent twice is one, and leads where the first did', async (t) => {
  const client = await register()
  const cookie = await session(ada)
  const query = {
    client_id: client.client_id,
    redirect_uri: redirect,
    response_type: 'code',
    code_challenge: 'a'.repeat(43),
  }
  const asked = await fetch(
    `${as.authorization_endpoint}?${new URLSearchParams({ ...query, code_challenge_method: 'S256' })}`,
    {
      redirect: 'manual',
      headers: { cookie },
    },
  )
  const kept = asked.headers.getSetCookie().map((line) => line.split(';')[0])
  const send = () =>
    fetch(new URL(asked.headers.get('location')!, here.url), {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie: [cookie, ...kept].join('; '), origin: here.url },
      body: new URLSearchParams({ org: one }),
    })
  const answers = await Promise.all([send(), send(), send()])
  t.same(new Set(answers.map(({ status }) => status)), new Set([303]))
  t.equal(new Set(answers.map(({ headers }) => headers.get('location'))).size, 1)
  const [{ grants }] = await sql('select count(*)::int as grants from oauth_grants where client_id = $1', [
    client.client_id,
  ])
  t.equal(grants, 1)
})

t.test('who leaves the org, and an org that ends, take their apps with them', async (t) => {
  const three = await org('three', { [ada]: 'owner', [bob]: 'maintainer' })
  const { client, tokens } = await signIn(await session(bob), {}, { org: three })
  t.equal((await me(tokens.access_token)).body.role, 'maintainer')
  await sql(`update members set role = 'viewer' where org_id = $1 and user_id = $2`, [three, bob])
  t.equal((await me(tokens.access_token)).body.role, 'viewer', 'as much as the person may now')
  await sql('delete from members where org_id = $1 and user_id = $2', [three, bob])
  t.equal((await me(tokens.access_token)).status, 401)
  t.equal(await errorOf(refresh(client, tokens.refresh_token!)), 'invalid_grant')

  const adas = await signIn(await session(ada), {}, { org: three })
  await sql('delete from orgs where id = $1', [three])
  t.equal((await me(adas.tokens.access_token)).status, 401)
  t.equal(await errorOf(refresh(adas.client, adas.tokens.refresh_token!)), 'invalid_grant')
})

t.test('a device shows a code, a person types it in, and the device gets its tokens', async (t) => {
  const client: oauth.Client = { client_id: 'molar-cli' }
  const start = async () =>
    oauth.processDeviceAuthorizationResponse(
      as,
      client,
      await oauth.deviceAuthorizationRequest(as, client, oauth.None(), { scope: 'mcp:read', resource }, insecure),
    )
  const poll = async (code: string) =>
    oauth.processDeviceCodeResponse(
      as,
      client,
      await oauth.deviceCodeGrantRequest(as, client, oauth.None(), code, insecure),
    )
  const type = async (user: ReturnType<typeof browser>, code: string) => {
    const page = await user.visit(`${here.url}/device?user_code=${code}`)
    t.match(page.body, `value="${code}"`)
    const xsrf = /name="xsrf" value="(\w+)"/.exec(page.body)![1]!
    return user.send(`${here.url}/device`, { xsrf, user_code: code, confirm: 'yes' })
  }
  const device = await start()
  t.equal(device.verification_uri, `${here.url}/device`)
  t.match(device.user_code, /^[B-Z]{4}-[B-Z]{4}$/)
  t.equal(await errorOf(poll(device.device_code)), 'authorization_pending')
  const ours = browser(here.url, await session(ada))
  t.match((await type(ours, 'BBBB-BBBB')).body, /not right/)
  const asked = await type(ours, device.user_code)
  t.match(asked.body, 'on a device that showed you a code')
  t.match(await ours.connect(asked.url, { org: one }), { status: 200, body: /close this page/ })
  const tokens = await poll(device.device_code)
  t.match((await me(tokens.access_token)).body, {
    org: { slug: 'one' },
    scopes: ['mcp:read'],
    credential: { name: 'Molar CLI' },
  })
  t.equal(await errorOf(poll(device.device_code)), 'invalid_grant', 'once')

  const refused = await start()
  const no = await type(ours, refused.user_code)
  t.match((await ours.connect(no.url, { no: true })).body, /You said no/)
  t.equal(await errorOf(poll(refused.device_code)), 'access_denied')
})

t.test('molar login: a browser says yes, commands go there as that person, and molar logout ends it', async (t) => {
  const home = scratch()
  const file = join(home, '.config', 'molar', 'config.toml')
  const env = { HOME: home, MOLAR_HOME: home }
  const molar = (args: string[], stdin?: string) => runHere(args, bareOutside(env), stdin)
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, 'color = "none"\n[other]\ntoken = "theirs"\n')
  let opened = false
  const said = await runCli('molar', ['login', '--api-url', here.url], {
    env,
    onErr(text) {
      const link = /Open (\S+)/.exec(text)?.[1]
      if (opened || !link || !text.includes('This waits')) return
      opened = true
      void session(ada).then(async (cookie) => {
        const user = browser(here.url, cookie)
        const page = await user.visit(link)
        const value = (name: string) => new RegExp(`name="${name}"[^>]* value="([^"]+)"`).exec(page.body)?.[1] ?? ''
        const asked = await user.send(`${here.url}/device`, {
          xsrf: value('xsrf'),
          user_code: value('user_code'),
          confirm: 'yes',
        })
        await user.connect(asked.url, { org: two })
      })
    },
  })
  t.match(said, { code: 0, err: /Logged in at .* as ada \(ada@example\.com\), maintainer of two/ })
  t.equal((await stat(file)).mode & 0o777, 0o600)
  const kept = await readFile(file, 'utf8')
  t.match(kept, /\ncolor = "none"\n\[other\]\ntoken = "theirs"\n$/)
  const whoami = async () => JSON.parse((await molar(['whoami', '--json'])).out)
  const first = await whoami()
  t.match(first, { user: { id: ada }, org: { slug: 'two' }, credential: { name: 'Molar CLI' } })
  t.equal(first.scopes.length, 7, 'what the person can do, their terminal can')

  await writeFile(file, kept.replace(/expires_at = .*/, `expires_at = "${new Date().toISOString()}"`))
  await sql(`delete from credentials where grant_id = $1`, [first.credential.id])
  t.match(await whoami(), { user: { id: ada } }, 'renewed')
  t.notMatch(await readFile(file, 'utf8'), /token = "theirs"\n.*token = /s)

  t.match(await molar(['logout']), { code: 0, err: /Logged out/ })
  t.notMatch(await readFile(file, 'utf8'), /^(api_url|refresh_token)/m)
  t.strictSame(await sql('select id from oauth_grants where id = $1', [first.credential.id]), [])
  const wrong = await molar(['login', '--api-url', here.url, '--token', '-'], 'molar_sk_nonsense')
  t.match(wrong, { code: 3, err: /not a Molar key/ })
  t.match(await molar(['login', '--api-url', here.url, '--token', '-'], here.token), { code: 0 })
  t.match(await whoami(), { credential: { kind: 'local_owner' } })
})

t.test('real clients register as they do, and come back where they said', async (t) => {
  const cookie = await session(ada)
  const claudeCode = await register({
    client_name: 'Claude Code (molar)',
    redirect_uris: ['http://localhost/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  })
  const anyPort = { redirect: 'http://localhost:54545/callback' }
  t.match(await exchange(claudeCode, await authorize(claudeCode, cookie, anyPort), anyPort.redirect), {
    refresh_token: /./,
  })

  const cursor = await register({
    client_name: 'Cursor',
    redirect_uris: [
      'cursor://anysphere.cursor-mcp/oauth/callback',
      'https://www.cursor.com/agents/mcp/oauth/callback',
      'http://localhost:8787/callback',
    ],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    scope: 'mcp:read unheard:of',
  })
  for (const redirect of cursor.redirect_uris as string[]) {
    const answer = await authorize(cursor, cookie, { redirect })
    t.match(await exchange(cursor, answer, redirect), { refresh_token: /./ }, redirect)
  }
  const code = await register({
    client_name: 'Visual Studio Code',
    redirect_uris: ['https://vscode.dev/redirect', 'http://localhost/', 'http://127.0.0.1/', 'http://127.0.0.1:33418/'],
    grant_types: [
      'authorization_code',
      'refresh_token',
      'urn:ietf:params:oauth:grant-type:device_code',
      'client_credentials',
    ],
    response_types: ['code'],
    application_type: 'native',
  })
  t.match(
    await exchange(
      code,
      await authorize(code, cookie, { redirect: 'http://127.0.0.1:33418/' }),
      'http://127.0.0.1:33418/',
    ),
    {},
  )

  const claude = await register({
    client_name: 'Claude',
    redirect_uris: ['https://claude.ai/api/mcp/auth_callback', 'https://claude.com/api/mcp/auth_callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'client_secret_post',
    scope: 'mcp:read mcp:write offline_access',
  })
  const there = { redirect: 'https://claude.ai/api/mcp/auth_callback', scope: 'mcp:read mcp:write offline_access' }
  const { seen, verifier, state } = await authorize(claude, cookie, there)
  const answer = oauth.validateAuthResponse(as, claude, new URL(seen.url), state)
  const auth = oauth.ClientSecretPost(String(claude.client_secret))
  const tokens = await oauth.processAuthorizationCodeResponse(
    as,
    claude,
    await oauth.authorizationCodeGrantRequest(as, claude, auth, answer, there.redirect, verifier, insecure),
  )
  t.match(tokens, { scope: 'mcp:read mcp:write', refresh_token: /./ })
})

function openWorld() {
  const database = openDatabase({ url: here.config.databaseUrl!, applicationName: 'test', log: silentLog })
  t.teardown(() => database.close())
  return database
}

t.test('what no client needs is refused, and so is a flood; who is not used is forgotten', async (t) => {
  const post = async (metadata: unknown) => here.rest('POST /api/oauth/register', metadata, { authorization: '' })
  for (const uri of [
    'javascript:alert(1)',
    'data:text/html,x',
    'http://evil.example/cb',
    'https://a.example/#f',
    'nonsense',
  ])
    t.match(await post({ redirect_uris: [uri] }), { status: 400, body: { error: 'invalid_redirect_uri' } }, uri)
  t.equal((await post({ redirect_uris: [] })).status, 400)
  t.equal((await post({ redirect_uris: ['https://a.example'], client_name: 'x'.repeat(60_000) })).status, 400)

  const { client } = await signIn(await session(ada))
  const idle = await register()
  await sql(`update oauth_clients set last_used_at = now() - interval '8 days'`)
  const [{ count }] = await sql('select count(*)::int from oauth_clients')
  t.ok((await forget(openWorld().system)).clients > 0)
  const left = (await sql('select id from oauth_clients')).map(({ id }) => id)
  t.ok(left.includes(client.client_id), 'one that somebody is connected with stays')
  t.notOk(left.includes(idle.client_id))
  t.ok(left.length < count)

  const used = async (what: string) =>
    sql(
      `insert into sign_in_limits (key, due) values ($1, now() + interval '1 day') on conflict (key) do update set due = excluded.due`,
      [`${what} address 127.0.0.1`],
    )
  await used('app_registration')
  const flood = await post({ redirect_uris: ['https://a.example'] })
  t.match(flood, { status: 429, body: { error: 'temporarily_unavailable' } })
  t.match(flood.headers.get('retry-after'), /^\d{4,5}$/)
  await used('device_code')
  const guess = await browser(here.url).send(`${here.url}/device`, { xsrf: '', user_code: 'BBBB-BBBB', confirm: 'yes' })
  t.match(guess, { status: 429, body: /Too many tries/ })
  await used('app_request')
  const asking = await fetch(as.device_authorization_endpoint!, {
    method: 'POST',
    body: new URLSearchParams({ client_id: 'molar-cli' }),
  })
  t.equal(asking.status, 429, 'each leaves something behind')
  t.match(await browser(here.url).visit(as.authorization_endpoint!), { status: 429, body: /Too many tries/ })
  await sql('delete from sign_in_limits')
  await used('app_document')
  const asked = new URLSearchParams({ client_id: 'https://a.example/app.json', response_type: 'code' })
  t.match(await browser(here.url).visit(`${as.authorization_endpoint}?${asked}`), {
    status: 429,
    body: /Too many tries/,
  })
  await sql('delete from sign_in_limits')
})

t.test('what apps and typed codes were refused is on record; a flood of it is not', async (t) => {
  const refusals = () =>
    sql(
      `select command, target, result from audit_events where org_id = '00000000-0000-0000-0000-000000000000'
       and command like 'apps.%' and result <> 'ok' order by seq`,
    )
  const before = (await refusals()).length
  const { client } = await signIn(await session(ada))
  t.equal(await errorOf(refresh(client, 'x'.repeat(43))), 'invalid_grant')
  await browser(here.url).send(as.token_endpoint!, { client_id: 'nobody', grant_type: 'refresh_token' })
  await here.rest('POST /api/oauth/register', { redirect_uris: [] }, { authorization: '' })
  await authorize(client, await session(ada), {}, { no: true })
  const user = browser(here.url, await session(ada))
  const xsrf = /name="xsrf" value="(\w+)"/.exec((await user.visit(`${here.url}/device`)).body)![1]!
  await user.send(`${here.url}/device`, { xsrf, user_code: 'BBBB-BBBB', confirm: 'yes' })
  // They are written down when the answer is on its way already.
  for (let tries = 0; tries < 100 && (await refusals()).length < before + 5; tries++) await sleep(50)
  t.same(
    (await refusals())
      .slice(before)
      .map(({ command, target, result }) => `${command} ${target} ${result}`)
      .sort(),
    [
      `apps.connect ${client.client_id} access_denied`,
      'apps.device null NotFoundError',
      'apps.register null invalid_redirect_uri',
      `apps.token ${client.client_id} invalid_grant`,
      'apps.token nobody invalid_client',
    ].sort(), // a client's id is random
  )
  t.match(
    await browser(here.url).send(`${here.url}/device`, { xsrf, user_code: 'BBBB-BBBB', confirm: 'yes' }),
    { status: 400, body: /has run out/ },
    'a form whose session is gone',
  )
  for (let tries = 0; tries < 65; tries++) await browser(here.url).send(as.token_endpoint!, { client_id: 'nobody' })
  t.ok((await refusals()).length - before < 70)
})

t.test('the tables hold nothing that opens anything', async (t) => {
  const client = await register({ token_endpoint_auth_method: 'client_secret_post' })
  const { seen } = await authorize(client, await session(ada))
  const open = await signIn(await session(ada))
  let kept = ''
  for (const table of ['oauth_clients', 'oauth_records', 'oauth_grants', 'credentials'])
    for (const { row } of await sql(`select row_to_json(x)::text as row from ${table} x`)) kept += row
  t.ok(kept.includes(open.tokens.access_token.slice(0, 6)), 'its rows are there')
  const secrets = {
    code: param(seen, 'code'),
    client: client.client_secret,
    access: open.tokens.access_token,
    refresh: open.tokens.refresh_token,
  }
  for (const [name, value] of Object.entries(secrets)) {
    t.type(value, 'string')
    t.notOk(kept.includes(String(value)), name)
    t.notOk(kept.includes(Buffer.from(String(value)).toString('hex')), `${name} in hex`)
  }
})

t.test('another MOLAR_SECRET, and new keys under it, log no app out', async (t) => {
  const { client, tokens } = await signIn(await session(ada))
  const renewed = 'another secret of this test, long enough'
  const env = {
    MOLAR_HOME: here.home,
    DATABASE_URL: here.config.databaseUrl!,
    MOLAR_MIGRATION_URL: here.config.migrationUrl!,
    MOLAR_SECRET: renewed,
  }
  const old = await readFile(join(here.home, 'secret'), 'utf8')
  const rotated = await runCli('molar', ['secrets', 'rotate'], { env: { ...env, MOLAR_SECRET_PREVIOUS: old } })
  t.equal(rotated.code, 0, rotated.err)
  t.match(rotated.out, /apps\s+[1-9]/, 'what is kept of clients is sealed anew')
  await sql(`update installation_keys set active_at = now() - interval '25 hours'`)
  const config = readConfig({
    ...env,
    MOLAR_PORT: String(await freePort()),
    MOLAR_PUBLIC_URL: here.url,
    MOLAR_WORKERS: '0',
  })
  const next = await serve(config, { log: pino({ level: 'silent' }), version: '0' })
  t.teardown(() => next.close())
  const there = `http://127.0.0.1:${config.port}`
  const me = (token: string) => fetch(`${there}/v1/me`, { headers: { authorization: `Bearer ${token}` } })
  t.equal((await me(tokens.access_token)).status, 200)
  const body = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token!, client_id: client.client_id }
  const answer = await fetch(`${there}/api/oauth/token`, { method: 'POST', body: new URLSearchParams(body) })
  t.equal(answer.status, 200)
  t.equal((await me(((await answer.json()) as { access_token: string }).access_token)).status, 200)
})
