import t from 'tap'
import { buildApp } from '../../src/server/app.ts'
import { mcpPlugin } from '../../src/server/mcp/index.ts'
import { fixtureCommands, fixtureServices, noteId, resetNotes, tokens } from '../fixtures/commands.ts'
import { connect, envelope, getNote, host, initialize, legacy, modern } from '../fixtures/mcp.ts'

t.test('no token, a wrong one and a revoked one are 401 with a challenge, whatever is asked', async (t) => {
  const { app, services } = await host(t)
  const asked = [
    modern('tools/call', getNote),
    modern('tools/list'),
    modern('server/discover'),
    legacy(initialize),
    { method: 'GET' as const, url: '/mcp' },
  ]
  for (const request of asked) {
    const { authorization: _none, ...headers } = 'headers' in request ? (request.headers as Record<string, string>) : {}
    const without = await app.inject({ ...request, headers })
    t.equal(without.statusCode, 401)
    t.equal(without.headers['www-authenticate'], 'Bearer')
    const wrong = await app.inject({ ...request, headers: { ...headers, authorization: 'Bearer nope' } })
    t.equal(wrong.statusCode, 401)
    t.match(wrong.headers['www-authenticate'], /error="invalid_token"/)
    t.match(wrong.json(), { error: 'unauthorized' })
  }
  t.equal((await app.inject(modern('tools/call', getNote))).statusCode, 200)
  services.revoke(tokens.owner)
  t.equal((await app.inject(modern('tools/call', getNote))).statusCode, 401, 'a revoked token fails at its next use')
})

t.test(
  'a missing scope, an org of others and a planless failure are results that say so and leak nothing',
  async (t) => {
    const { app } = await host(t)
    const call = async (params: Record<string, unknown>, headers = {}) => {
      const { result } = (await app.inject(modern('tools/call', params, headers))).json()
      t.equal(result.isError, true)
      t.notOk('structuredContent' in result)
      return JSON.parse(result.content[0].text)
    }
    const reader = { authorization: `Bearer ${tokens.reader}` }
    t.match(await call({ name: 'molar_create_note', arguments: { title: 'x' } }, reader), {
      error: 'insufficient_scope',
      details: { required: ['mcp:write'] },
    })
    t.match(await call(getNote, { 'x-molar-org': 'elsewhere' }), { error: 'forbidden', message: /elsewhere/ })
    const broken = await call({ name: 'molar_broken_note', arguments: {} }, { 'x-request-id': 'r-1' })
    t.match(broken, { error: 'internal', message: /Quote request id/ })
    t.notMatch(JSON.stringify(broken), /hunter2/)
    const bad = await call({ name: 'molar_list_notes', arguments: { sort: 'size', limt: 3 } })
    t.match(bad, { error: 'validation_failed', message: /sort: .*"title"\|"id".*limt: .*did you mean limit\?/ })
  },
)

t.test("a plain tools/call has the same answer on the short way as on the SDK's", async (t) => {
  resetNotes()
  const { app } = await host(t)
  const calls = [
    getNote,
    { name: 'molar_get_note', arguments: { id: 'x' } },
    { name: 'molar_report_note', arguments: { id: noteId } },
    { name: 'molar_file_note', arguments: { id: noteId, name: 'a.txt' } },
    { name: 'molar_list_notes' },
    { name: 'molar_list_notes', arguments: { fields: ['title'] } },
  ]
  for (const call of calls) {
    const short = await app.inject(modern('tools/call', call))
    // an encoded name, which is rare, sends the request the long way round
    const encoded = `=?base64?${Buffer.from(call.name).toString('base64')}?=`
    const long = await app.inject(modern('tools/call', call, { 'mcp-name': encoded }))
    t.equal(short.statusCode, long.statusCode)
    t.equal(
      short.headers['content-type']?.toString().split(';')[0],
      long.headers['content-type']?.toString().split(';')[0],
    )
    t.same(short.json(), long.json(), JSON.stringify(call))
  }
})

t.test('malformed messages and headers are refused as the protocol says', async (t) => {
  const { app } = await host(t)
  const cases: [string, object, number, number | undefined][] = [
    ['not JSON', { ...modern('tools/list'), payload: '{' }, 400, -32700],
    ['no body', { ...modern('tools/list'), payload: '' }, 400, -32700],
    ['not JSON-RPC', { ...modern('tools/list'), payload: '{"a":1}' }, 400, -32600],
    ['a batch of 2025', legacy([{ jsonrpc: '2.0', id: 1, method: 'ping' }]), 400, -32600],
    ['an empty batch', legacy([]), 400, -32600],
    [
      'another content type',
      { ...modern('tools/list'), headers: { ...modern('tools/list').headers, 'content-type': 'text/plain' } },
      415,
      -32000,
    ],
    ['another method in the header', modern('tools/call', getNote, { 'mcp-method': 'tools/list' }), 400, -32020],
    ['another name in the header', modern('tools/call', getNote, { 'mcp-name': 'molar_list_notes' }), 400, -32020],
    [
      'another version in the header',
      modern('tools/call', getNote, { 'mcp-protocol-version': '2025-11-25' }),
      400,
      -32020,
    ],
    [
      'a version nobody speaks',
      modern(
        'tools/list',
        { _meta: { ...envelope, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' } },
        { 'mcp-protocol-version': '2099-01-01' },
      ),
      400,
      -32022,
    ],
    [
      'an envelope without capabilities',
      modern('tools/list', { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } }),
      400,
      -32602,
    ],
    [
      'capabilities that are none',
      modern('tools/call', {
        ...getNote,
        _meta: { ...envelope, 'io.modelcontextprotocol/clientCapabilities': { roots: 5 } },
      }),
      400,
      -32602,
    ],
    [
      'an id that is none',
      {
        ...modern('tools/call'),
        payload: JSON.stringify({
          jsonrpc: '2.0',
          id: {},
          method: 'tools/call',
          params: { ...getNote, _meta: envelope },
        }),
      },
      400,
      -32600,
    ],
    ['an unknown method', modern('tools/frobnicate'), 404, -32601],
    ['a method of the other era', modern('ping'), 404, -32601],
    ['no session', legacy({ jsonrpc: '2.0', id: 1, method: 'tools/list' }), 400, -32000],
    [
      'a session that is not there',
      legacy({ jsonrpc: '2.0', id: 1, method: 'tools/list' }, { 'mcp-session-id': 'none' }),
      404,
      -32001,
    ],
    ['a subscription to nothing', modern('subscriptions/listen'), 200, -32602],
    [
      'a subscription to what is not there',
      modern('subscriptions/listen', { notifications: { resourceSubscriptions: ['molar://nothing'] } }),
      200,
      -32602,
    ],
    ['a subscription of the other era', modern('resources/subscribe', { uri: 'molar://notes' }), 404, -32601],
    ['an unknown tool', modern('tools/call', { name: 'nope' }), 200, -32602],
    ['arguments that are a list', modern('tools/call', { name: 'molar_get_note', arguments: [1] }), 200, -32602],
  ]
  for (const [title, request, status, code] of cases) {
    const answer = await app.inject(request)
    t.equal(answer.statusCode, status, title)
    t.equal(answer.json().error?.code, code, `${title}: ${answer.body.slice(0, 200)}`)
  }
})

t.test('toolsets and read-only mode by query and header; an unknown one names those that exist', async (t) => {
  const { app } = await host(t)
  const list = async (query: string, headers = {}) => {
    const answer = await app.inject({ ...modern('tools/list', {}, headers), url: `/mcp${query}` })
    return (answer.json().result?.tools as { name: string }[] | undefined)?.map((tool) => tool.name) ?? answer
  }
  const found = ['molar_search_notes', 'molar_search_tools', 'molar_execute_tool']
  t.same(await list('?toolsets=search'), found)
  t.same(await list('', { 'x-mcp-toolsets': 'search' }), found)
  t.equal(((await list('?toolsets=all')) as string[]).length, fixtureCommands.length)
  t.notOk(((await list('?read_only=true&toolsets=all')) as string[]).includes('molar_create_note'))
  const safe = (await list('', { 'x-mcp-readonly': 'Yes' })) as string[]
  t.notOk(safe.includes('molar_create_note'))
  t.ok(safe.includes('molar_get_note'))
  t.ok(((await list('?read_only=false')) as string[]).includes('molar_create_note'))
  const called = await app.inject({
    ...modern('tools/call', { name: 'molar_create_note', arguments: { title: 'x' } }),
    url: '/mcp?read_only=true',
  })
  t.match(called.json(), { error: { code: -32602, message: /read-only/ } })
  const unknown = await app.inject({ ...modern('tools/list'), url: '/mcp?toolsets=gard' })
  t.equal(unknown.statusCode, 400)
  t.match(unknown.json(), { error: 'bad_request', message: /no toolset gard.*default, all, notes, search/ })
})

t.test('an idempotency key in _meta makes a write happen once, in both eras', async (t) => {
  resetNotes()
  const { app, url } = await host(t)
  const params = {
    name: 'molar_create_note',
    arguments: { title: 'once' },
    _meta: { ...envelope, 'molar/idempotency-key': 'k1' },
  }
  const one = (await app.inject(modern('tools/call', params))).json().result.structuredContent
  const two = (await app.inject(modern('tools/call', params))).json().result.structuredContent
  t.equal(one.id, two.id)
  const number = { ...params, _meta: { ...envelope, 'molar/idempotency-key': 7 } }
  t.match((await app.inject(modern('tools/call', number))).json().result.content[0].text, /must be text/)
  const client = await connect(t, url, 'first')
  const again = await client.callTool({
    name: 'molar_create_note',
    arguments: { title: 'once' },
    _meta: { 'molar/idempotency-key': 'k1' },
  })
  t.equal((again.structuredContent as { id: string }).id, one.id)
  const other = await client.callTool({
    name: 'molar_create_note',
    arguments: { title: 'twice' },
    _meta: { 'molar/idempotency-key': 'k1' },
  })
  t.match(JSON.parse((other.content as { text: string }[])[0]!.text), { error: 'idempotency_key_reused' })
})

t.test('inside the app: its checks, headers and JSON limits hold, and a stop ends open streams at once', async (t) => {
  const services = fixtureServices()
  const mcp = mcpPlugin({ commands: fixtureCommands, services: async () => services, version: '1', log: services.log })
  const config = { host: '127.0.0.1', publicUrl: null, allowedHosts: [], allowedOrigins: [] }
  const app = await buildApp({
    services: async () => services,
    commands: fixtureCommands,
    config,
    version: '1',
    log: services.log,
    plugins: [mcp],
  })
  const base = await app.listen({ port: 0, host: '127.0.0.1' })
  t.equal((await app.inject(modern('tools/list', {}, { origin: 'https://evil.example' }))).statusCode, 403)
  t.equal((await app.inject(modern('tools/list', {}, { host: 'evil.example' }))).statusCode, 403)
  const deep = await app.inject({ ...modern('tools/list'), payload: '['.repeat(200) + ']'.repeat(200) })
  t.match(deep.json(), { error: { code: -32700, message: /nested deeper/ } })
  const large = await app.inject({ ...modern('tools/list'), payload: `"${'x'.repeat(5 << 20)}"` })
  t.equal(large.statusCode, 413)
  t.equal(large.json().error.code, -32000)
  const opened = await app.inject(legacy(initialize))
  t.equal(opened.headers['x-content-type-options'], 'nosniff', 'also where the SDK writes the answer')
  const put = await app.inject({ ...modern('tools/list'), method: 'PUT' })
  t.equal(put.statusCode, 405)
  const client = await connect(t, `${base}/mcp`, 'first')
  t.ok((await client.listTools()).tools.length)
  const started = Date.now()
  await app.close()
  t.ok(Date.now() - started < 3000, `closed in ${Date.now() - started} ms with a session's stream open`)
})
