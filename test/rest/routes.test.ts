import fc from 'fast-check'
import t from 'tap'
import { z } from 'zod'
import { defineCommand } from '../../src/core/command.ts'
import { fail } from '../../src/core/errors.ts'
import { commands } from '../../src/core/index.ts'
import { buildApp } from '../../src/server/app.ts'
import { makeLogger } from '../../src/server/log.ts'
import { anyCharacter } from '../fixtures/any-input.ts'
import { fixtureServices, noteId, otherNoteId, resetNotes, tokens } from '../fixtures/commands.ts'
import { auth, fixtureApp } from './fixture.ts'

const limited = defineCommand({
  name: 'quota.use',
  tool: 'molar_use_quota',
  title: 'Use',
  summary: 'Use up a quota.',
  input: z.object({}),
  output: z.object({}),
  rest: 'GET /v1/quota',
  access: { scope: 'mcp:read' },
  effect: 'read',
  errors: ['quota_exceeded'],
  examples: [],
  handler: async () =>
    fail('quota_exceeded', 'Used up.', { details: { resource: 'runs', limit: 5, used: 5, retry_after_seconds: 1.5 } }),
})

const { app, logged } = await fixtureApp({ bodyLimit: 2000 }, [limited])
t.teardown(() => app.close())
t.beforeEach(() => resetNotes())

const json = { ...auth, 'content-type': 'application/json' }
const post = (url: string, payload: unknown, headers: Record<string, string> = {}) =>
  app.inject({
    method: 'POST',
    url,
    headers: { ...json, ...headers },
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  })
const get = (url: string, headers: Record<string, string> = {}) => app.inject({ url, headers: { ...auth, ...headers } })

t.test('path, query and body become one typed input', async (t) => {
  t.match((await get(`/v1/notes/${noteId}`)).json(), { id: noteId, place: { city: 'Bern', floor: 2 } })
  const page = (await get('/v1/notes?limit=1&fields=title&sort=title')).json()
  t.strictSame(page.items, [{ id: noteId, title: 'First' }])
  const next = (await get(`/v1/notes?limit=1&fields=title&sort=title&cursor=${page.next_cursor}`)).json()
  t.strictSame(next.items, [{ id: otherNoteId, title: 'Second' }])
  t.equal((await get('/v1/notes?limit=many')).statusCode, 422)
  t.match((await get('/v1/notes?limti=1')).json(), { error: 'validation_failed', message: /did you mean limit/ })
  const made = await post('/v1/notes', { title: 'Third', tags: ['c'], place: { city: 'Rome', floor: 3 } })
  t.equal(made.statusCode, 201)
  t.match(made.json(), { title: 'Third', tags: ['c'], place: { city: 'Rome', floor: 3 } })
  const gone = await app.inject({ method: 'DELETE', url: `/v1/notes/${otherNoteId}`, headers: json })
  t.match(gone.json(), { removed: true }, 'an empty body is none, whatever its type says')
})

t.test('a field given in two places must say the same', async (t) => {
  t.equal((await post('/v1/notes?title=Third', { title: 'Third' })).statusCode, 201)
  t.match((await post('/v1/notes?title=Fourth', { title: 'Third' })).json(), {
    error: 'bad_request',
    message: /^title: is given twice/,
  })
  t.match((await get(`/v1/notes/${noteId}?id=${otherNoteId}`)).json(), { error: 'bad_request' })
  t.equal(
    (await post('/v1/notes/search-exact', { query: 'First', exact: false })).statusCode,
    400,
    'what a route fixes counts too',
  )
})

t.test('a route has its own status, fixed fields and envelope', async (t) => {
  const exact = await post('/v1/notes/search-exact', { query: 'Fir' })
  t.equal(exact.statusCode, 202)
  t.strictSame(exact.json(), { ids: [], exact: true })
  t.strictSame((await get('/v1/notes/search?query=Fir')).json(), { ids: [noteId], exact: false })
  t.equal((await get('/v1/all-notes')).json().length, 2)
})

t.test('every /v1 route answers under /api/v1 too, and no other path does', async (t) => {
  t.equal((await get(`/api/v1/notes/${noteId}`)).json().id, noteId)
  t.equal((await get('/api/v2/notes')).statusCode, 404)
  const routes = app.knownRoutes.filter((route) => route.command)
  t.equal(routes.filter((route) => route.alias).length, routes.filter((route) => !route.alias).length)
})

t.test('Markdown, attachments and redirects', async (t) => {
  const report = await get(`/v1/notes/${noteId}/report.md`)
  t.equal(report.headers['content-type'], 'text/markdown; charset=utf-8')
  t.equal(report.headers['content-disposition'], 'attachment; filename="report.md"')
  t.match(report.body, /^Text below may quote.*# First/s, 'marked as data, as MCP marks it')
  const url = `/v1/notes/${noteId}/files/a.txt`
  const redirect = await get(url)
  t.equal(redirect.statusCode, 302)
  t.equal(redirect.headers.location, 'https://files.test/a.txt')
  t.strictSame((await get(url, { accept: 'application/json' })).json(), {
    url: 'https://files.test/a.txt',
    name: 'a.txt',
  })
})

t.test('what is wrong with a request is said as {error, message} with its status', async (t) => {
  const cases: [response: ReturnType<typeof get>, status: number, error: string][] = [
    [post('/v1/notes', '{"title": "a'), 400, 'malformed_json'],
    [post('/v1/notes', '{"title": "a", "__proto__": {"x": 1}}'), 400, 'malformed_json'],
    [post('/v1/notes', `{"title": "a", "place": ${'['.repeat(500)}${']'.repeat(500)}}`), 400, 'malformed_json'],
    [post('/v1/notes', '[1]'), 422, 'validation_failed'],
    [post('/v1/notes', '"text"'), 422, 'validation_failed'],
    [post('/v1/notes', { title: 'a\0' }), 422, 'validation_failed'],
    [
      post('/v1/notes', 'title=a', { 'content-type': 'application/x-www-form-urlencoded' }),
      415,
      'unsupported_media_type',
    ],
    [post('/v1/notes', 'title', { 'content-type': 'text/plain' }), 415, 'unsupported_media_type'],
    [post('/v1/notes', { title: 'a'.repeat(3000) }), 413, 'payload_too_large'],
    [get('/v1/nothing'), 404, 'not_found'],
    [get('/v1/notes/%zz'), 400, 'bad_request'],
    [get('/v1/notes/no-uuid'), 422, 'validation_failed'],
    [get(`/v1/notes/${noteId}`, { authorization: 'Bearer wrong' }), 401, 'unauthorized'],
    [get(`/v1/notes/${noteId}`, { authorization: `Basic ${tokens.owner}` }), 401, 'unauthorized'],
    [post('/v1/notes', { title: 'a' }, { authorization: `Bearer ${tokens.reader}` }), 403, 'insufficient_scope'],
    [app.inject({ method: 'PUT', url: '/v1/notes', headers: auth }), 405, 'method_not_allowed'],
  ]
  for (const [asked, status, error] of cases) {
    const response = await asked
    const body = response.json()
    t.equal(response.statusCode, status, `${error}: ${body.message}`)
    t.equal(body.error, error)
    t.type(body.message, 'string')
    t.notMatch(Object.keys(body), /statusCode|code/)
    t.ok(response.headers['x-request-id'])
  }
  const method = await app.inject({ method: 'PUT', url: `/api/v1/notes/${noteId}`, headers: auth })
  t.equal(method.headers.allow, 'DELETE, GET, HEAD, OPTIONS')
  t.equal((await get('/v1/notes', { authorization: '' })).headers['www-authenticate'], 'Bearer error="invalid_token"')
  t.equal((await app.inject({ url: '/v1/notes' })).headers['www-authenticate'], 'Bearer')
})

t.test('an unplanned failure leaks nothing, and is logged with its cause and the request id', async (t) => {
  const response = await post('/v1/notes/broken', {}, { 'x-request-id': 'find-me' })
  t.equal(response.statusCode, 500)
  t.strictSame(Object.keys(response.json()), ['error', 'message'])
  t.match(response.json(), { error: 'internal', message: /find-me/ })
  t.notMatch(response.body, /hunter2/)
  t.match(
    logged.find((line) => line.msg === 'request failed'),
    { request_id: 'find-me', err: { message: /hunter2/ } },
  )
})

t.test('request ids: a sane one is kept, any other replaced', async (t) => {
  t.equal((await get('/v1/notes', { 'x-request-id': 'abc-1:2.3' })).headers['x-request-id'], 'abc-1:2.3')
  for (const bad of ['a b', 'x'.repeat(129), 'é', '<script>']) {
    t.match((await get('/v1/notes', { 'x-request-id': bad })).headers['x-request-id'], /^[\da-f-]{36}$/)
  }
})

t.test('the four org headers mean one thing', async (t) => {
  const orgId = '019301c0-0000-7000-9000-000000000005'
  for (const name of ['x-org-id', 'x-molar-org', 'X-Molecule-Org-Id', 'X-Molecule-Org-Slug']) {
    t.equal((await get('/v1/notes', { [name]: 'local' })).statusCode, 200)
    t.equal((await get('/v1/notes', { [name]: orgId })).statusCode, 200)
    t.equal((await get('/v1/notes', { [name]: 'other' })).statusCode, 403)
  }
  t.equal((await get('/v1/notes', { 'x-org-id': 'local', 'x-molar-org': 'other' })).statusCode, 400)
  t.equal((await get('/v1/notes', { 'x-molecule-org-id': orgId, 'x-molecule-org-slug': 'local' })).statusCode, 200)
  t.equal((await get('/v1/notes', { 'x-molecule-org-id': orgId, 'x-molecule-org-slug': 'other' })).statusCode, 403)
})

t.test('an Idempotency-Key gives the first answer again', async (t) => {
  const headers = { 'idempotency-key': 'once' }
  const first = (await post('/v1/notes', { title: 'Once' }, headers)).json()
  t.strictSame((await post('/v1/notes', { title: 'Once' }, headers)).json(), first)
  t.equal((await post('/v1/notes', { title: 'Twice' }, headers)).json().error, 'idempotency_key_reused')
})

t.test('a limit says when to try again, and what ran out at the top level', async (t) => {
  const response = await get('/v1/quota')
  t.equal(response.statusCode, 429)
  t.equal(response.headers['retry-after'], '2')
  t.match(response.json(), { error: 'quota_exceeded', resource: 'runs', limit: 5, used: 5 })
})

t.test('a HEAD answers as GET does, and a stream has none', async (t) => {
  const head = (url: string) => app.inject({ method: 'HEAD', url, headers: auth })
  t.match(await head(`/v1/notes/${noteId}`), { statusCode: 200, body: '' })
  t.match(await head(`/v1/notes/${noteId}/events`), { statusCode: 405, headers: { allow: 'GET, OPTIONS' } })
})

t.test('whatever is sent, nothing but a planned failure comes back', async () => {
  const key = fc.oneof(
    fc.constantFrom(
      'id',
      'title',
      'tags',
      'place',
      'limit',
      'cursor',
      'fields',
      '__proto__',
      'constructor',
      'toString',
    ),
    fc.string(),
  )
  const text = fc.oneof(
    fc.string({ unit: anyCharacter }),
    fc.constantFrom('\0', '\ud800', '1e999', '[', '{"a":', '', 'null'),
  )
  const query = fc.array(fc.tuple(key, text), { maxLength: 4 })
  const method = fc.constantFrom('GET' as const, 'POST' as const, 'DELETE' as const)
  const path = fc.constantFrom('/v1/notes', '/api/v1/notes/search', '/v1/notes/search-exact', '/v1/notes/import')
  const body = fc.option(fc.dictionary(key, fc.jsonValue({ maxDepth: 4 })), { nil: undefined })
  const shot = fc.asyncProperty(method, fc.oneof(path, text), query, body, async (method, path, query, body) => {
    const search = query.map((pair) => pair.map((part) => encodeURIComponent(part.toWellFormed())).join('=')).join('&')
    const at = path.startsWith('/') ? path : `/v1/notes/${encodeURIComponent(path.toWellFormed())}`
    const payload = body === undefined ? {} : { payload: JSON.stringify(body) }
    const response = await app.inject({ method, url: `${at}?${search}`, headers: json, ...payload })
    if (response.statusCode >= 500) throw new Error(`${response.statusCode}: ${response.body}`)
  })
  await fc.assert(shot, { numRuns: 150 })
})

t.test('the real commands have routes that do not collide', async (t) => {
  const config = { host: '127.0.0.1', publicUrl: null, allowedHosts: [], allowedOrigins: [] }
  const services = async () => fixtureServices()
  const real = await buildApp({ services, commands, config, version: '0', log: makeLogger('silent') })
  t.teardown(() => real.close())
  const declared = commands.flatMap((command) => command.routes.map(() => command.name))
  t.strictSame(
    real.knownRoutes.filter(({ command, alias }) => command && !alias).map(({ command }) => command),
    declared,
  )
  t.equal((await real.inject({ url: '/v1/me', headers: auth })).json().org.slug, 'local')
  t.equal((await real.inject({ url: '/api/v1/me', headers: auth })).json().org.slug, 'local')
})
