import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as FirstClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as FirstTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { pino } from 'pino'
import t from 'tap'
import { serve } from '../../src/server/serve.ts'
import { freePort } from '../fixtures/free-port.ts'
import { browser } from '../fixtures/page-browser.ts'
import { openPeople } from '../fixtures/people.ts'
import { selfSigned } from '../fixtures/self-signed.ts'
import { world } from '../fixtures/world.ts'

// /mcp as a resource server, with the clients that agents have: from a 401 to a called tool, on two servers at once.

const port = await freePort()
const here = await world(t, {
  environment: {
    MOLAR_PORT: String(port),
    MOLAR_PUBLIC_URL: `http://127.0.0.1:${port}`,
    MOLAR_EGRESS_ALLOW: 'localhost',
  },
})
const log = pino({ level: 'silent' })
const second = { ...here.config, port: await freePort() }
const instance = await serve(second, { log, version: '0' })
t.teardown(() => instance.close())
/** The other instance. Both have the same public address, so this one is asked at its own. */
const other = `http://127.0.0.1:${second.port}`

const { person, org, session, sql } = await openPeople(t, here)
const ada = await person('ada')
await org('one', { [ada]: 'owner' })
const cookie = await session(ada)
const mcp = new URL(`${here.url}/mcp`)

/** An app's memory and the browser of the person in front of it, as both generations of the SDK ask for them. */
function app(more: { clientMetadataUrl?: string; scope?: string } = {}) {
  const kept: { client?: any; tokens?: any; discovery?: unknown; verifier?: string; answer?: URL; asked: URL[] } = {
    asked: [],
  }
  const redirectUrl = 'http://127.0.0.1:49153/callback'
  const provider = {
    redirectUrl,
    clientMetadata: { client_name: 'An agent', redirect_uris: [redirectUrl], token_endpoint_auth_method: 'none' },
    ...(more.clientMetadataUrl !== undefined && { clientMetadataUrl: more.clientMetadataUrl }),
    clientInformation: () => kept.client,
    saveClientInformation: (client: unknown) => {
      kept.client = client
    },
    tokens: () => kept.tokens,
    saveTokens: (tokens: unknown) => {
      kept.tokens = tokens
    },
    saveCodeVerifier: (verifier: string) => {
      kept.verifier = verifier
    },
    codeVerifier: () => kept.verifier ?? '',
    saveDiscoveryState: (state: unknown) => {
      kept.discovery = state
    },
    discoveryState: () => kept.discovery,
    invalidateCredentials: () => {
      kept.tokens = undefined
    },
    async redirectToAuthorization(url: URL) {
      kept.asked.push(url)
      // An app that wants less at first than it is told to ask for.
      if (more.scope !== undefined && kept.asked.length === 1) url.searchParams.set('scope', more.scope)
      const seen = await browser(here.url, cookie).connect(url.href)
      kept.answer = new URL(seen.url)
    },
  }
  return { provider, kept }
}
type App = ReturnType<typeof app>

const clients = {
  '2.x, 2026-07-28': (one: App) => ({
    client: new Client({ name: 'test', version: '1' }, {
      versionNegotiation: { mode: { pin: '2026-07-28' } },
    } as never),
    transport: () => new StreamableHTTPClientTransport(mcp, { authProvider: one.provider as never }),
  }),
  '2.x, 2025': (one: App) => ({
    client: new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'legacy' } } as never),
    transport: () => new StreamableHTTPClientTransport(mcp, { authProvider: one.provider as never }),
  }),
  '1.x': (one: App) => ({
    client: new FirstClient({ name: 'test', version: '1' }) as unknown as Client,
    transport: () =>
      new FirstTransport(mcp, { authProvider: one.provider as never }) as unknown as StreamableHTTPClientTransport,
  }),
}
const whoami = async (client: Client) => {
  const { content } = await client.callTool({ name: 'molar_execute_tool', arguments: { name: 'molar_whoami' } })
  return JSON.parse((content as { text: string }[])[0]!.text)
}

/** As an app does it: connect, be refused, ask the person, connect again. */
async function signIn(which: keyof typeof clients, one: App): Promise<Client> {
  const { client, transport } = clients[which](one)
  const first = transport()
  const refused = await client.connect(first).then(
    () => undefined,
    (error: Error) => error.constructor.name,
  )
  if (refused === undefined) return client
  const { searchParams } = one.kept.answer!
  await first.finishAuth(searchParams.get('code') ?? '', searchParams.get('iss') ?? undefined)
  const again = clients[which](one)
  await again.client.connect(again.transport())
  t.teardown(() => again.client.close().catch(() => {}))
  return again.client
}

for (const which of Object.keys(clients) as (keyof typeof clients)[]) {
  t.test(`${which}: from a 401 to a called tool, with registration; two refreshes at once; then revoked`, async (t) => {
    const one = app()
    const client = await signIn(which, one)
    t.match(await whoami(client), { user: { id: ada }, credential: { kind: 'oauth', name: 'An agent' } })
    t.equal(one.kept.asked[0]?.searchParams.get('resource'), mcp.href)
    t.equal(one.kept.asked[0]?.searchParams.get('scope'), 'mcp:read mcp:write mcp:run mcp:trace:read')

    // The hour is over: both calls get a 401, and both refresh.
    await sql(`update credentials set expires_at = now() - interval '1 second' where kind = 'oauth'`)
    const both = await Promise.all([whoami(client), whoami(client)])
    t.match(both, [{ user: { id: ada } }, { user: { id: ada } }])
    t.equal(one.kept.asked.length, 1, 'the person was not asked again')

    const [grant] = await sql('select id from oauth_grants order by id desc limit 1')
    const ended = await fetch(`${other}/v1/apps/${grant.id}`, { method: 'DELETE', headers: { cookie, origin: other } })
    t.equal(ended.status, 200)
    const before = one.kept.asked.length
    await t.rejects(whoami(client), 'its next request fails, and it must ask the person')
    t.equal(one.kept.asked.length, before + 1)
  })
}

t.test('an app that is known by its metadata document needs no registration', async (t) => {
  setDefaultCACertificates([...getCACertificates('default'), selfSigned.cert])
  const asked: unknown[] = []
  const documents = createServer(selfSigned, (request, response) => {
    asked.push(request.url)
    const id = `https://localhost:${(documents.address() as AddressInfo).port}${request.url}`
    const metadata = {
      client_id: id,
      client_name: 'By document',
      redirect_uris: ['http://127.0.0.1/callback'],
      token_endpoint_auth_method: 'none',
    }
    if (request.url === '/elsewhere.json') response.writeHead(302, { location: '/client.json' }).end()
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(metadata))
  }).listen(0, 'localhost')
  await once(documents, 'listening')
  t.teardown(() => documents.close())
  const origin = `https://localhost:${(documents.address() as AddressInfo).port}`
  const before = (await sql('select count(*)::int from oauth_clients'))[0].count
  for (const which of ['2.x, 2026-07-28', '1.x'] as const) {
    const one = app({ clientMetadataUrl: `${origin}/client.json` })
    t.match(await whoami(await signIn(which, one)), { credential: { name: 'By document' } })
    t.equal(one.kept.asked[0]?.searchParams.get('client_id'), `${origin}/client.json`)
  }
  t.strictSame(asked, ['/client.json'], 'the document is kept for a while')
  t.equal((await sql('select count(*)::int from oauth_clients'))[0].count, before)

  const ask = (id: string) =>
    browser(here.url, cookie).visit(
      `${here.url}/api/oauth/authorize?${new URLSearchParams({ client_id: id, response_type: 'code', redirect_uri: 'http://127.0.0.1/callback' })}`,
    )
  t.match(await ask(`${origin}/elsewhere.json`), { status: 400 }, 'redirects are not followed')
  t.match(
    await ask(`https://127.0.0.1:${(documents.address() as AddressInfo).port}/client.json`),
    { status: 400 },
    'nothing inside is asked',
  )
  t.strictSame([...new Set(asked)], ['/client.json', '/elsewhere.json'])
  t.equal(asked.filter((path) => path === '/client.json').length, 1)
})

t.test('a 401 says where to go, on MCP and on REST, and a token in the address is none', async (t) => {
  const metadata = `resource_metadata="${here.url}/.well-known/oauth-protected-resource/mcp"`
  const one = app()
  await signIn('1.x', one)
  const { access_token } = one.kept.tokens
  for (const [method, path] of [
    ['POST', '/mcp'],
    ['GET', '/mcp'],
    ['GET', '/v1/me'],
    ['GET', `/v1/me?access_token=${access_token}`],
    ['POST', `/mcp?access_token=${access_token}`],
  ] as const) {
    const answer = await fetch(here.url + path, {
      method,
      ...(method === 'POST' && { body: '{}', headers: { 'content-type': 'application/json' } }),
    })
    t.equal(answer.status, 401, path)
    t.equal(
      answer.headers.get('www-authenticate'),
      `Bearer scope="mcp:read mcp:write mcp:run mcp:trace:read", ${metadata}`,
    )
  }
  const wrong = await fetch(`${here.url}/mcp`, { headers: { authorization: `Bearer ${'x'.repeat(43)}` } })
  t.equal(wrong.status, 401)
  t.match(wrong.headers.get('www-authenticate'), `Bearer error="invalid_token", scope=`)

  const elsewhere = { ...here.config, port: await freePort() }
  const stranger = await serve({ ...elsewhere, publicUrl: `http://127.0.0.1:${elsewhere.port}` }, { log, version: '0' })
  t.teardown(() => stranger.close())
  const bearer = { headers: { authorization: `Bearer ${access_token}` } }
  t.equal((await fetch(`${here.url}/v1/me`, bearer)).status, 200)
  t.equal(
    (await fetch(`${stranger.url}/v1/me`, bearer)).status,
    401,
    'a token for another resource, though the database knows it',
  )
})

t.test('a scope that is missing is a 403 that names all that is needed, and the app asks the person', async (t) => {
  for (const which of Object.keys(clients) as (keyof typeof clients)[]) {
    const one = app({ scope: 'mcp:read mcp:run' })
    const client = await signIn(which, one)
    const archive = { name: 'molar_archive_scenario', arguments: { scenario: 'none' } }
    const refused = await client.callTool({ name: 'molar_execute_tool', arguments: archive }).then(
      () => '',
      (error: Error) => error.message,
    )
    if (which === '1.x') {
      t.match(refused, '403', 'this SDK tries a refresh, and then leaves it to its user')
      continue
    }
    const asked = one.kept.asked.at(-1)?.searchParams.get('scope')
    t.strictSame(asked?.split(' ').sort(), ['mcp:read', 'mcp:run', 'mcp:write'], which)
  }
  const keyed = await here.rest('POST /v1/api-keys', { name: 'narrow', scopes: ['mcp:read'] })
  const refused = await here.rest('POST /v1/api-keys', { name: 'x' }, { authorization: `Bearer ${keyed.body.api_key}` })
  t.equal(refused.status, 403)
  t.match(refused.headers.get('www-authenticate'), 'error="insufficient_scope", scope="mcp:read mcp:write"')
})

t.test('one session lives on from token to token', async (t) => {
  const one = app()
  const client = await signIn('2.x, 2025', one)
  const { sessionId } = client.transport as { sessionId?: string }
  t.ok(sessionId)
  await sql(`update credentials set expires_at = now() - interval '1 second' where kind = 'oauth'`)
  t.match(await whoami(client), { user: { id: ada } })
  t.equal((client.transport as { sessionId?: string }).sessionId, sessionId)
})

t.test('the protocol’s own suite for authorization servers finds nothing', async (t) => {
  const callback = await freePort()
  const registered = await here.rest(
    'POST /api/oauth/register',
    { redirect_uris: [`http://127.0.0.1:${callback}/callback`], token_endpoint_auth_method: 'none' },
    { authorization: '' },
  )
  const bin = fileURLToPath(new URL('../../node_modules/.bin/conformance', import.meta.url))
  const suite = execFile(process.execPath, [
    bin,
    'authorization',
    '--url',
    here.url,
    '--client-id',
    registered.body.client_id,
    '--resource',
    mcp.href,
    '--port',
    String(callback),
  ])
  let said = ''
  suite.stdout?.on('data', (text: string) => {
    said += text
    const asked = /^http\S+\/api\/oauth\/authorize\?\S+$/m.exec(said)?.[0]
    if (!asked) return
    suite.stdout?.removeAllListeners('data').on('data', (more: string) => {
      said += more
    })
    void browser(here.url, cookie)
      .connect(asked)
      .then(({ url }) => fetch(url))
  })
  const [code] = await once(suite, 'exit')
  t.equal(code, 0, said)
  t.match(said, /Total: \d+ passed, 0 failed/)
})
