import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import t from 'tap'
import { isSameOrigin, restContext } from '../../src/rest/context.ts'
import { buildApp } from '../../src/server/app.ts'
import { blobRoutes } from '../../src/server/blobs.ts'
import { exportRoutes } from '../../src/server/exports.ts'
import type { Checks } from '../../src/server/health.ts'
import { makeLogger } from '../../src/server/log.ts'
import { mcpPlugin } from '../../src/server/mcp/index.ts'
import { makeMetrics } from '../../src/server/metrics.ts'
import { oauthServer } from '../../src/server/oauth.ts'
import { webPages } from '../../src/web/index.ts'
import { fixtureCommands, fixtureServices, noteId, resetNotes } from '../fixtures/commands.ts'
import { auth, fixtureApp } from '../rest/fixture.ts'

const { app } = await fixtureApp()
t.teardown(() => app.close())
resetNotes()
await app.listen({ port: 0, host: '127.0.0.1' })
const { port } = app.server.address() as { port: number }
const started = Date.now()
const took = (answer: string) => ({ answer, took: Date.now() - started })
const slowHeaders = raw('GET / HTTP/1.1\r\nhost: loc').then(took)
const slowBody = raw(
  `POST /v1/notes HTTP/1.1\r\nhost: localhost\r\nauthorization: ${auth.authorization}\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"title":`,
).then(took)

const notes = `/v1/notes/${noteId}`
const local = { host: '127.0.0.1', publicUrl: null, allowedHosts: [], allowedOrigins: [] }
const silent = makeLogger('silent')

t.test(
  'liveness asks nothing; readiness names each part and says 503 when one is missing, hangs or throws',
  async (t) => {
    const parts: Checks = {
      database: async () => ({ ok: true }),
      queue: async () => ({ ok: true }),
      blobs: async () => ({ ok: true }),
      browser: async () => ({ ok: true }),
    }
    const services = async () => fixtureServices()
    const base = { services, commands: fixtureCommands, config: local, version: '1.0.0', log: silent }
    const checked = await buildApp({ ...base, checks: parts })
    t.teardown(() => checked.close())
    t.strictSame((await checked.inject('/healthz')).json(), { status: 'ok', version: '1.0.0' })
    for (const path of ['/readyz', '/v1/ready', '/api/v1/ready']) {
      const ready = await checked.inject(path)
      t.equal(ready.statusCode, 200)
      t.strictSame(Object.keys(ready.json().checks), ['database', 'queue', 'blobs', 'browser'])
    }
    parts.browser = async () => ({ ok: false, message: 'Run: molar browser install' })
    parts.queue = () => Promise.reject(new Error('connect ECONNREFUSED postgres://molar:secret@db'))
    const failing = await checked.inject('/readyz')
    t.equal(failing.statusCode, 503)
    t.match(failing.json(), {
      status: 'not_ready',
      checks: { database: { ok: true }, queue: { ok: false }, browser: { message: /install/ } },
    })
    t.notMatch(failing.body, /secret/)
    let asked = 0
    parts.database = () => {
      asked++
      return new Promise(() => {})
    }
    const hanging = await Promise.all([checked.inject('/readyz'), checked.inject('/readyz')])
    for (const response of hanging) t.match(response.json(), { checks: { database: { ok: false, message: /3 s/ } } })
    t.equal(asked, 1, 'who asks at the same time shares an answer')
  },
)

t.test('metrics count calls by command, door and result', async (t) => {
  const metrics = makeMetrics()
  const services = async () => ({ ...fixtureServices(), observe: metrics.observe })
  const counted = await buildApp({
    services,
    commands: fixtureCommands,
    config: local,
    version: '1',
    metrics,
    log: silent,
  })
  t.teardown(() => counted.close())
  await counted.inject({ url: notes, headers: auth })
  await counted.inject({ url: notes })
  const { body, headers } = await counted.inject('/metrics')
  t.match(headers['content-type'], /^text\/plain/)
  t.match(body, 'molar_calls_total{command="notes.get",door="rest",result="ok"} 1')
  t.match(body, 'molar_calls_total{command="notes.get",door="rest",result="unauthorized"} 1')
  t.match(body, 'molar_call_duration_seconds_bucket{le="+Inf",command="notes.get",door="rest"} 2')
  t.match(body, 'molar_call_duration_seconds_bucket{le="50",command="notes.get",door="rest"} 2')
  t.match(body, 'molar_call_duration_seconds_count{command="notes.get",door="rest"} 2')
  t.match(body, /^# TYPE molar_open_streams gauge\nmolar_open_streams 0$/m)
  t.match(body, 'nodejs_eventloop_lag_seconds')
})

t.test('the plain routes are exactly those of routes-without-command.txt', async (t) => {
  const listed = readFileSync(new URL('../routes-without-command.txt', import.meta.url), 'utf8')
    .trim()
    .split('\n')
  const services = async () => fixtureServices()
  const mcp = mcpPlugin({ commands: fixtureCommands, services, version: '0', log: silent })
  const people = () => Promise.reject(new Error('nobody comes in'))
  const web = { services, people, contextOf: restContext(services), isSameOrigin }
  const oauth = oauthServer(web, () => 'http://localhost')
  const plugins = [
    blobRoutes(services),
    exportRoutes(services),
    mcp,
    webPages({ ...web, oauth: oauth.provider }),
    oauth.plugin,
  ]
  const whole = await buildApp({
    services,
    commands: fixtureCommands,
    config: local,
    version: '0',
    log: silent,
    plugins,
  })
  t.teardown(() => whole.close())
  const plain = whole.knownRoutes.filter(({ command, alias }) => !command && !alias)
  t.strictSame(plain.map(({ method, path }) => `${method} ${path}`).sort(), listed)
})

t.test('the manifest names commands, tools and resources with this server’s own URLs', async (t) => {
  const get = (host: string) => app.inject({ url: '/.well-known/molar-capabilities.json', headers: { host } })
  const manifest = (await get('localhost:4321')).json()
  t.strictSame(Object.keys(manifest), [
    'name',
    'version',
    'protocolVersions',
    'endpoints',
    'auth',
    'scopes',
    'toolsets',
    'tools',
    'resources',
    'commands',
  ])
  t.equal(manifest.endpoints.mcp, 'http://localhost:4321/mcp')
  t.strictSame(manifest.auth.schemes, ['bearer'], 'no OAuth is promised where there is none')
  t.equal((await get('127.0.0.1:1')).json().endpoints.mcp, 'http://127.0.0.1:1/mcp')
  t.match(
    manifest.tools.find((tool: { name: string }) => tool.name === 'molar_remove_note'),
    {
      command: 'notes.remove',
      toolset: 'notes',
      scope: 'mcp:write',
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    },
  )
  t.match(
    manifest.tools.find((tool: { name: string }) => tool.name === 'molar_execute_tool'),
    { command: null, toolset: null, scope: null, annotations: { destructiveHint: true } },
  )
  t.match(manifest.toolsets, [
    { name: 'notes', default: true },
    { name: 'search', default: false, tools: ['molar_search_notes'] },
  ])
  t.match(manifest.resources[0], { uriTemplate: 'molar://notes/{note_id}', command: 'notes.get' })
  t.match(manifest.commands[0], {
    name: 'notes.get',
    effect: 'read',
    rest: ['GET /v1/notes/{id}'],
    tool: 'molar_get_note',
    cli: 'molar notes get',
  })
})

t.test('on loopback, a rebound name and a foreign page are refused', async (t) => {
  const status = async (headers: Record<string, string>, url = notes) =>
    (await app.inject({ url, headers: { ...auth, ...headers } })).statusCode
  for (const host of ['localhost:4000', '127.0.0.1', '[::1]:80', 'LOCALHOST'])
    t.equal(await status({ host }), 200, host)
  for (const host of ['evil.test', 'localhost.evil.test', '127.0.0.1.evil.test', 'molar.lan'])
    t.equal(await status({ host }), 403, host)
  const host = 'localhost:4000'
  for (const origin of ['http://localhost:4000', 'http://localhost:6274', 'http://127.0.0.1:3000'])
    t.equal(await status({ host, origin }), 200, origin)
  for (const origin of ['https://evil.test', 'null', 'http://localhost.evil.test', ''])
    t.equal(await status({ host, origin }), 403, origin)
  t.match((await app.inject({ url: '/healthz', headers: { host: 'evil.test' } })).json(), {
    error: 'forbidden',
    message: /MOLAR_ALLOWED_HOSTS/,
  })
})

t.test('configured names and origins are let in, and CORS speaks to those origins alone', async (t) => {
  const open = await fixtureApp({
    publicUrl: 'https://molar.test',
    allowedHosts: ['molar.lan'],
    allowedOrigins: ['https://app.test'],
  })
  t.teardown(() => open.app.close())
  const get = (headers: Record<string, string>) => open.app.inject({ url: notes, headers: { ...auth, ...headers } })
  for (const host of ['molar.test', 'molar.lan:8080', 'localhost']) t.equal((await get({ host })).statusCode, 200, host)
  t.equal((await get({ host: 'evil.test' })).statusCode, 403)
  const allowed = await get({ host: 'molar.test', origin: 'https://app.test' })
  t.equal(allowed.headers['access-control-allow-origin'], 'https://app.test')
  t.equal(allowed.headers['access-control-allow-credentials'], undefined)
  t.match(allowed.headers.vary, /Origin/)
  const preflight = await open.app.inject({
    method: 'OPTIONS',
    url: notes,
    headers: { host: 'molar.test', origin: 'https://app.test', 'access-control-request-method': 'DELETE' },
  })
  t.equal(preflight.statusCode, 204)
  t.match(preflight.headers['access-control-allow-headers'], /authorization.*idempotency-key.*mcp-session-id/)
  t.equal(
    (await get({ host: 'molar.test', origin: 'https://molar.test' })).headers['access-control-allow-origin'],
    undefined,
  )
  t.equal((await get({ host: 'molar.test', origin: 'https://evil.test' })).statusCode, 403)
  t.ok((await get({ host: 'molar.test' })).headers['strict-transport-security'], 'https alone')
  const off = await app.inject({
    method: 'OPTIONS',
    url: notes,
    headers: { origin: 'http://localhost:3000', 'access-control-request-method': 'GET' },
  })
  t.equal(off.headers['access-control-allow-origin'], undefined)
  t.equal(off.headers.allow, 'DELETE, GET, HEAD, OPTIONS')
})

t.test('security headers are on every answer, errors too', async (t) => {
  for (const url of [notes, '/nothing', '/healthz', '/v1/notes/%zz']) {
    const { headers } = await app.inject({ url, headers: auth })
    t.match(
      headers,
      {
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
        'content-security-policy': /^default-src 'none'; base-uri 'none'; .*frame-ancestors 'none'$/,
        'x-request-id': /./,
      },
      url,
    )
    t.equal(headers['strict-transport-security'], undefined)
  }
})

t.test('logs have the request, and neither credentials nor queries', async (t) => {
  const logged = await fixtureApp()
  t.teardown(() => logged.app.close())
  await logged.app.inject({
    url: `${notes}?signature=hush`,
    headers: { ...auth, cookie: 'sid=hush', 'x-request-id': 'r1' },
  })
  t.match(
    logged.logged.find(({ request_id }) => request_id === 'r1'),
    { method: 'GET', path: notes, status: 422 },
  )
  const lines: string[] = []
  makeLogger('info', { write: (line) => void lines.push(line) }).info(
    {
      headers: { authorization: 'hush', cookie: 'hush' },
      authorization: 'hush',
      req: { headers: { authorization: 'hush' } },
    },
    'all',
  )
  t.notMatch(JSON.stringify(logged.logged) + lines.join(), /hush|owner-token/)
})

t.test('a plugin brings its own routes and body parser', async (t) => {
  const plugged = await buildApp({
    services: async () => fixtureServices(),
    commands: [],
    config: local,
    version: '1',
    log: silent,
    plugins: [
      async (scope) => {
        scope.addContentTypeParser('text/plain', { parseAs: 'string' }, (_request, body, done) => done(null, body))
        scope.post('/hook', async ({ body }) => ({ body }))
        scope.get('/broken', async () => {
          throw new Error('hush')
        })
      },
    ],
  })
  t.teardown(() => plugged.close())
  const headers = { 'content-type': 'text/plain' }
  t.strictSame((await plugged.inject({ method: 'POST', url: '/hook', headers, payload: 'raw' })).json(), {
    body: 'raw',
  })
  t.match((await plugged.inject({ method: 'PUT', url: '/hook' })).headers, { allow: 'POST, OPTIONS' })
  t.match((await plugged.inject('/broken')).json(), { error: 'internal', message: /request id/ })
})

t.test('what is no HTTP is refused in the same words, and slow senders are let go', async (t) => {
  t.match(await raw('GARBAGE\r\n\r\n'), /^HTTP\/1\.1 400 Bad Request[\s\S]*"error":"bad_request"/)
  t.match(await raw(`GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 431/)
  t.match(await raw('GET /healthz HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 403/, 'no Host is not a loopback name')
  t.equal(app.server.requestTimeout, 10_000)
  t.equal(app.server.headersTimeout, 5000)
  for (const [sender, most] of [
    [slowHeaders, 8000],
    [slowBody, 12_000],
  ] as const) {
    const { answer, took } = await sender
    t.match(answer, /^HTTP\/1\.1 408 .*[\s\S]*"error":"bad_request"/)
    t.ok(took < most, `let go after ${took} ms`)
  }
})

/** Writes raw bytes and gives back everything until the server closes the connection. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.on('data', (data) => {
      text += data
    })
    socket.on('close', () => resolve(text))
    socket.on('error', () => {})
  })
}
