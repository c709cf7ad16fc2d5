import { connect } from 'node:net'
import pg from 'pg'
import t from 'tap'
import { commands } from '../../src/core/index.ts'
import { makeLogger } from '../../src/server/log.ts'
import { openPeople } from '../fixtures/people.ts'
import { world } from '../fixtures/world.ts'

// Whatever secret a request has, and wherever it has it: no line of the log holds it, and no answer tells what is inside.

const lines: string[] = []
const internal = 'internal-token-planted-0123456789-abcdef'
const secret = 'molar-secret-planted-0123456789-abcdefgh'
const here = await world(t, {
  environment: { MOLAR_INTERNAL_TOKEN: internal, MOLAR_SECRET: secret },
  log: makeLogger('trace', { write: (line) => void lines.push(line) }),
})

/** Known by their look, wherever they stand. */
const shaped = {
  'our key': here.token,
  'a key that is none': `molar_pat_${'Ab1'.repeat(16)}X`,
  'a JWT': 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwbGFudGVkIn0.c2lnbmF0dXJlLXBsYW50ZWQ',
  'a GitHub token': `ghp_${'planted9'.repeat(5)}`,
  'a Stripe key': `sk_live_${'planted8'.repeat(3)}`,
  'an AWS key': 'AKIAPLANTED000000000',
}
/** Known only by the name that they stand under. */
const shapeless = {
  'a password': 'correct-horse-planted-staple',
  'a session': 'sessionplanted0123456789.c2ln',
  internal,
  secret,
}
const all = { ...shaped, ...shapeless }

const ask = (method: string, path: string, headers: Record<string, string> = {}, body?: string) =>
  fetch(here.url + path, { method, headers, redirect: 'manual', ...(body !== undefined && { body }) }).then(
    async (response) => ({ status: response.status, text: await response.text() }),
  )
const json = { 'content-type': 'application/json', authorization: `Bearer ${here.token}` }
const form = { 'content-type': 'application/x-www-form-urlencoded', origin: here.url }

t.test('no secret of a request is in the log, wherever the request has it', async (t) => {
  const plant = async ([what, value]: [string, string]) => {
    const encoded = encodeURIComponent(value)
    const header = async (name: string, given = value) => ask('GET', '/v1/me', { [name]: given })
    for (const scheme of ['Bearer ', 'bearer ', 'Basic ', '']) await header('authorization', scheme + value)
    await header('cookie', `molar_session=${encoded}; other=${encoded}`)
    for (const name of ['x-internal-token', 'x-api-key', 'proxy-authorization', 'idempotency-key']) await header(name)
    for (const name of [
      'token',
      'access_token',
      'code',
      'state',
      'client_secret',
      'password',
      'signature',
      'cursor',
      'api_key',
    ])
      for (const path of [
        '/v1/runs',
        '/auth/magic-link',
        '/auth/reset',
        '/auth/callback',
        '/api/oauth/authorize',
        '/nowhere',
      ])
        if (name === 'token' || path === '/v1/runs') await ask('GET', `${path}?a=b&${name}=${encoded}`)
    await ask('POST', '/v1/scenarios', json, JSON.stringify({ content: value, password: value }))
    await ask('POST', '/v1/scenarios', json, `{"content": "${value}`)
    await ask('PUT', '/v1/secrets/PLANTED', json, JSON.stringify({ value }))
    await ask('POST', '/v1/runs/batch', json, JSON.stringify({ secrets: { A: value }, variables: { B: value } }))
    const call = {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'molar_set_secret', arguments: { name: 'A', value } },
    }
    await ask('POST', '/mcp', { ...json, accept: 'application/json, text/event-stream' }, JSON.stringify(call))
    for (const path of [
      '/auth/login',
      '/auth/signup',
      '/api/oauth/token',
      '/api/oauth/revoke',
      '/api/oauth/introspect',
    ])
      await ask(
        'POST',
        path,
        form,
        `email=a%40b.test&password=${encoded}&token=${encoded}&code=${encoded}&refresh_token=${encoded}`,
      )
    if (what in shaped) {
      for (const path of ['/v1/runs/', '/v1/api-keys/', '/nowhere/', '/assets/', '/device/'])
        await ask('GET', path + encoded)
      await ask('GET', '/v1/me', { 'x-request-id': value, 'user-agent': value, referer: `https://x.test/?t=${value}` })
    }
  }
  await Promise.all(Object.entries(all).map(plant))
  t.ok(lines.length > 200, `${lines.length} lines`)
  for (const [what, value] of Object.entries(all))
    for (const form of [value, encodeURIComponent(value), value.split('.')[0]!])
      t.same(lines.filter((line) => line.includes(form)).slice(0, 2), [], `${what} (${form.slice(0, 8)}…)`)
  t.match(lines.join(''), /"path":"\/v1\/me"/, 'what is no secret is there')
})

t.test('nor what is logged as an object or inside a text', async (t) => {
  const seen: string[] = []
  const log = makeLogger('trace', { write: (line) => void seen.push(line) })
  for (const value of Object.values(all)) {
    const headers = {
      authorization: `Bearer ${value}`,
      cookie: `a=${value}`,
      'set-cookie': [`a=${value}`, 'b]"c'],
      'X-Internal-Token': value,
    }
    log.info({
      headers,
      deep: { er: { req: { headers } } },
      password: value,
      client_secret: value,
      refresh_token: value,
    })
    for (const name of ['err', 'error'])
      log.error({ [name]: new Error(`GET https://user:${value}@host/?access_token=${value} failed`) }, 'x')
    log.warn({ body: JSON.stringify({ password: value, secret: value }), url: `/a?x=1&code=${value}` })
    log.info({ db: `postgres://molar:${encodeURIComponent(value)}@db/molar` })
  }
  for (const [what, value] of Object.entries(all))
    t.same(seen.filter((line) => line.includes(value)).slice(0, 2), [], what)
  for (const line of seen) t.doesNotThrow(() => JSON.parse(line), 'it is a line of JSON still')
  for (const name of ['err', 'error'])
    t.ok(
      seen.some((line) => JSON.parse(line)[name]?.message.startsWith('GET https://user:')),
      `what went wrong is told as ${name}`,
    )
  const started = performance.now()
  log.info({ text: '\\"'.repeat(200_000) + '"secret":"'.repeat(20_000) })
  t.ok(performance.now() - started < 2000, 'no text takes long')
})

t.test('an answer to what went wrong inside tells a request id, and neither SQL nor a stack', async (t) => {
  const owner = new pg.Client({ connectionString: here.config.migrationUrl })
  await owner.connect()
  const broken = ['secrets', 'runs', 'scenarios', 'audit_events', 'traces']
  for (const table of broken) await owner.query(`alter table ${table} rename to ${table}_gone`)
  const reads = commands.filter(
    ({ effect, routes }) => effect === 'read' && routes[0]!.method === 'GET' && !routes[0]!.path.includes('{'),
  )
  let failed = 0
  const inside = /select |insert |relation|\.ts:|node_modules|at [\w.]+ \(|audit_events|pg_/i
  for (const { name, routes } of reads) {
    const { status, text } = await ask('GET', routes[0]!.path, { ...json, accept: 'application/json' })
    if (status === 500) failed++
    t.notMatch(text, inside, name)
  }
  const tool = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'molar_list_runs', arguments: {} } }
  const mcp = await ask(
    'POST',
    '/mcp',
    { ...json, accept: 'application/json, text/event-stream' },
    JSON.stringify(tool),
  )
  t.notMatch(mcp.text, /relation|\.ts:|node_modules/)
  const write = await ask('PUT', '/v1/secrets/PLANTED', json, JSON.stringify({ value: all['a password'] }))
  t.match(write, { status: 500, text: /"error":"internal".*request id [\w-]+/ })
  t.ok(failed >= 3, `${failed} failed inside`)
  t.notMatch(lines.join(''), all['a password'], 'nor does the log have the value that was to be written')
  for (const table of broken) await owner.query(`alter table ${table}_gone rename to ${table}`)
  await owner.end()
})

t.test('who breaks off in the middle of a request is no failure of the server', async (t) => {
  const before = lines.length
  const { hostname, port } = new URL(here.url)
  for (const type of ['application/json', 'multipart/form-data; boundary=x']) {
    const socket = connect(Number(port), hostname)
    const head = `POST /v1/runs/019301c0-cafe-7000-bea7-00000000dead/ingest HTTP/1.1\r\nHost: ${hostname}:${port}\r\n`
    const rest = `Authorization: Bearer ${here.token}\r\nContent-Type: ${type}\r\nContent-Length: 999\r\n\r\n`
    socket.write(`${head}${rest}--x\r\nContent-Disposition: form-data; name="events"\r\n\r\n[`)
    await new Promise((resolve) => setTimeout(resolve, 50))
    socket.destroy()
  }
  const told = () => lines.slice(before).map((line) => JSON.parse(line) as { level: number; status?: number })
  for (let tries = 0; tries < 100 && told().filter(({ status }) => status !== undefined).length < 2; tries++)
    await new Promise((resolve) => setTimeout(resolve, 20))
  t.same(
    told().filter(({ level }) => level >= 50),
    [],
  )
  t.ok(told().length > 0, 'the requests are in the log')
})

t.test('who was refused stands in the log, though refused reads are no audit events', async (t) => {
  const people = await openPeople(t, here)
  const user = await people.person('reader')
  const org = await people.org('refusing', { [user]: 'viewer' })
  const cookie = await people.session(user, org)
  t.equal((await ask('GET', '/v1/audit-events', { cookie, 'x-request-id': 'refused-1' })).status, 403)
  t.equal(
    (await ask('GET', '/v1/me', { authorization: `Bearer ${'x'.repeat(43)}`, 'x-request-id': 'refused-2' })).status,
    401,
  )
  const told = (id: string) =>
    lines.map((line) => JSON.parse(line)).find((one) => one.request_id === id && one.msg === 'refused')
  t.match(told('refused-1'), {
    command: 'audit.list',
    door: 'rest',
    result: 'forbidden',
    credential: { kind: 'session', org, user },
    remote_address: '127.0.0.1',
  })
  t.match(told('refused-2'), { result: 'unauthorized', remote_address: '127.0.0.1' })
})
