import fc from 'fast-check'
import pg from 'pg'
import t, { type Test } from 'tap'
import { type ErrorCode, errorTable } from '../../src/core/errors.ts'
import { commands } from '../../src/core/index.ts'
import { exampleScenario } from '../../src/core/scenarios/example.ts'
import { inputSchema, type JsonSchema } from '../../src/core/schema.ts'
import { anyInput } from '../fixtures/any-input.ts'
import { type DoorCall, openCall, openDoors } from '../fixtures/doors.ts'
import { seedExampleRun } from '../fixtures/example-run.ts'
import { bareOutside, runHere } from '../fixtures/run-here.ts'
import { world } from '../fixtures/world.ts'

// Bad input gets a clear error at every door, and never a 500.

/** Asks more often than an org may. */
const here = await world(t, { environment: { AGENT_SIGNUP_ENABLED: 'true' } })
const doors = await openDoors(t, here)
const inside = (await openCall(t, here))(here.token)
const molar = (...args: string[]) => runHere(args, bareOutside(here.environment))
await here.rest('POST /v1/scenarios', { content: exampleScenario })
await seedExampleRun(here)

const owner = new pg.Client({ connectionString: here.config.migrationUrl })
await owner.connect()
t.teardown(() => owner.end())

const find = (name: string) => commands.find((command) => command.name === name)!
const oneOf = ['rest', 'mcp 2.x'] as const

/** The refusal at REST and MCP, which must be one. */
async function refusal(t: Test, name: string, input: Record<string, unknown>, through: readonly string[] = oneOf) {
  const seen: unknown[] = []
  for (const door of through) {
    const outcome = await doors[door]!(find(name), input)
    if (!('error' in outcome)) t.fail(`${door} took it`, { outcome })
    else seen.push(outcome)
  }
  const [first, ...others] = seen as { error: string; message: string }[]
  for (const other of others) t.same(other, first, 'the doors say the same')
  return first ?? { error: 'none', message: '' }
}

t.test('every problem of a scenario is said at once, with what was probably meant', async (t) => {
  const content = exampleScenario
    .replace('description:', 'priorty: high\ndescription:')
    .replace('Navigate to /', 'Navigat to /')
    .replace('is visible', 'is visibel')
  const { error, message } = await refusal(t, 'scenarios.upload', { content })
  t.equal(error, 'scenario_invalid')
  t.match(message, /MOLAR_S004.*priorty.*priority/, 'the unknown key and its neighbour')
  t.match(message, /MOLAR_S001.*Navigat/, 'the unknown step')
  t.match(message, /visibel/, 'the third problem too')
  const { err, out, code } = await molar('scenarios', 'upload', '-', '--json', '--input', '{}')
  t.not(code, 0, `the CLI refuses what has no content: ${err || out}`)
  const { status, body } = await here.rest('POST /v1/scenarios', { content })
  t.equal(status, 422)
  t.ok(body.details.problems.length >= 3, 'as data too')
  t.ok(
    body.details.problems.some((one: { suggestions: string[] }) => /Navigate to/.test(one.suggestions.join())),
    'with a suggestion',
  )
})

t.test(
  'a scenario of 300 KiB, of 501 steps, or with a cycle is an error of the language, in a bounded time',
  async (t) => {
    const started = performance.now()
    const large = await refusal(t, 'scenarios.upload', { content: `${exampleScenario}\n${'prose '.repeat(51_200)}` })
    t.match(large, { error: 'scenario_invalid', message: /MOLAR_S012/ })
    const steps = Array.from({ length: 501 }, (_, at) => `${at + 1}. Navigate to /${at}`).join('\n')
    const long = await refusal(t, 'scenarios.upload', { content: `${exampleScenario.split('1. Nav')[0]}${steps}\n` })
    t.match(long, { error: 'scenario_invalid', message: /MOLAR_S012/ })
    const cyclic = exampleScenario.replace('tags: [example]', 'tags: &a [*a]')
    t.match(await refusal(t, 'scenarios.upload', { content: cyclic }), {
      error: 'scenario_invalid',
      message: /MOLAR_S009|MOLAR_S003/,
    })
    const map = exampleScenario.replace('tags: [example]', 'variables: &v {a: *v}')
    t.match(await refusal(t, 'scenarios.upload', { content: map }), { error: 'scenario_invalid' })
    const laughs = exampleScenario.replace(
      'tags: [example]',
      `tags: [example]\nx0: &x0 [lol]\n${Array.from({ length: 20 }, (_, at) => `x${at + 1}: &x${at + 1} [${`*x${at},`.repeat(10)}]`).join('\n')}`,
    )
    t.match(await refusal(t, 'scenarios.upload', { content: laughs }), { error: 'scenario_invalid' })
    t.match(await refusal(t, 'scenarios.upload', { content: 'x'.repeat(400 * 1024 + 1) }), {
      error: 'validation_failed',
      message: /content/,
    })
    t.ok(performance.now() - started < 5000, `${Math.round(performance.now() - started)} ms`)
  },
)

t.test('HTTP: malformed JSON 400, too large 413, wrong type 415, whatever the route', async (t) => {
  const headers = { 'content-type': 'application/json' }
  for (const path of ['/v1/scenarios', '/v1/runs/batch']) {
    for (const bad of [
      '{',
      '{"a":}',
      '{"content": "x"',
      'nonsense',
      '{"a":1}}',
      '{"__proto__": {"a": 1}}',
      '['.repeat(100_000),
    ]) {
      const { status, body } = await here.rest(`POST ${path}`, bad, headers)
      t.equal(status, 400, `${path} ${bad.slice(0, 20)}`)
      t.equal(body.error, 'malformed_json')
    }
    const huge = await here.rest(`POST ${path}`, JSON.stringify({ content: 'x'.repeat(4 << 20) }), headers)
    t.match(huge, { status: 413, body: { error: 'payload_too_large' } })
    for (const type of ['text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'nonsense']) {
      const wrong = await here.rest(`POST ${path}`, '{}', { 'content-type': type })
      t.match(wrong, { status: 415, body: { error: 'unsupported_media_type' } }, type)
    }
    for (const body of ['[]', '3', '"x"', 'true'])
      t.match(
        await here.rest(`POST ${path}`, body, headers),
        { status: 422, body: { error: 'validation_failed' } },
        body,
      )
  }
  const mcp = async (body: string, type = 'application/json') =>
    here.rest('POST /mcp', body, { 'content-type': type, accept: 'application/json, text/event-stream' })
  t.match(await mcp('{'), { status: 400, body: { error: { code: -32700 } } })
  t.match(await mcp('['.repeat(100_000)), { status: 400, body: { error: { code: -32700 } } })
  t.equal((await mcp(JSON.stringify({ x: 'x'.repeat(4 << 20) }))).status, 413)
  t.equal((await mcp('{}', 'text/plain')).status, 415)
})

t.test('ids, limits, cursors and unknown fields are refused with what is wrong with them', async (t) => {
  for (const id of [
    '42',
    'x'.repeat(300),
    '019301c0-cafe-7000-bea7-00000000000',
    "' or 1=1 --",
    '../../etc/passwd',
    '%00',
    ' ',
  ]) {
    const { error, message } = await refusal(t, 'runs.get', { id }, ['mcp 2.x'])
    t.match({ error, message }, { error: 'validation_failed', message: /id: must be a UUID/ }, id.slice(0, 40))
    const { status, body } = await here.rest(`GET /v1/runs/${encodeURIComponent(id)}`)
    t.match(
      { status, body },
      id.length > 256 ? { status: /^4/ } : { status: 422, body: { message: /id: must be a UUID/ } },
    )
  }
  const cli = await molar('runs', 'get', '42', '--json')
  t.equal(cli.code, 2)
  t.match(cli.err, /must be a UUID/)
  for (const path of ['/v1/runs/%00', '/v1/runs/%ED%A0%80', '/v1/runs/%', '/v1/runs/%FF'])
    t.ok([400, 404, 422].includes((await here.rest(`GET ${path}`)).status), path)
  for (const limit of [0, 201, -1, 1.5, 'many']) {
    const answer = await here.rest(`GET /v1/runs?limit=${limit}`)
    t.match(answer, { status: 422, body: { error: 'validation_failed', message: /^limit: / } }, `limit ${limit}`)
    t.match(await doors['mcp 2.x']!(find('runs.list'), { limit }), { error: 'validation_failed', message: /^limit: / })
  }
  t.match(await refusal(t, 'runs.list', { limt: 5 }), {
    error: 'validation_failed',
    message: /limt: is not a field here; did you mean limit\?$/,
  })
  t.match(await refusal(t, 'runs.get', { id: '42', colour: 1 }), {
    message: /id: must be.*colour: is not a field here/,
  })

  await here.rest('POST /v1/api-keys', { name: 'one more' })
  const { body } = await here.rest('GET /v1/api-keys?limit=1')
  t.ok(body.next_cursor)
  const cursor = body.next_cursor
  t.match(
    await refusal(t, 'runs.list', { cursor }),
    { error: 'validation_failed', message: /^cursor: / },
    'of another list',
  )
  t.match(await refusal(t, 'audit.list', { cursor }), { message: /^cursor: / })
  const audit = (await here.rest('GET /v1/audit-events?limit=1')).body.next_cursor
  t.match(
    await refusal(t, 'audit.list', { cursor: audit, command: 'keys.create' }),
    { message: /^cursor: / },
    'of another filter',
  )
  for (const bad of ['x', '.', 'e30.AAAA', `${cursor}x`, cursor.slice(0, -1), 'a'.repeat(1025)])
    t.match(
      await refusal(t, 'keys.list', { cursor: bad }),
      { error: 'validation_failed', message: /^cursor: / },
      bad.slice(0, 20),
    )
})

// For every field of every command, as its schema describes it: what cannot be stored, what is out of range, what is of
// another kind. All of it behind the doors; through REST and MCP each kind of value in each kind of field and place.
t.test('no command answers 500 to anything in any field', async (t) => {
  const failures: string[] = []
  const waiting: (() => Promise<void>)[] = []
  const through = new Set<string>()
  for (const command of commands) {
    const valid = command.examples.find((example) => !example.error)?.input ?? command.examples[0]!.input
    // What waits or streams would wait for nothing.
    const hurry = Object.fromEntries(
      ['wait', 'seconds'].flatMap((key) => (key in command.input.shape ? [[key, 0]] : [])),
    )
    for (const [field, schema] of Object.entries(inputSchema(command).properties ?? {})) {
      const isPath = command.routes.some(({ path }) => path.includes(`{${field}}`))
      // In an address everything is text, and a lone surrogate cannot be written.
      const inAddress = isPath || ['GET', 'DELETE'].includes(command.routes[0]!.method)
      const place = isPath ? 'path' : inAddress ? 'query' : 'body'
      for (const { value, leaf, storable } of badValues(schema)) {
        const text = JSON.stringify(value)
        const input = { ...(valid as object), ...hurry, [field]: value }
        const give = (door: string, ask: DoorCall, perhaps: boolean) =>
          waiting.push(async () => {
            const outcome = await ask(command, input).catch((error: Error) => ({
              error: `thrown: ${error.message}`,
              message: '',
            }))
            const error = 'error' in outcome ? outcome.error : undefined
            if (error === undefined ? !perhaps : /internal|thrown|unavailable|undefined/.test(error))
              failures.push(`${command.name} ${field} ${text.slice(0, 60)} at ${door}: ${JSON.stringify(outcome)}`)
          })
        give('call', inside, storable)
        for (const door of oneOf) {
          const kind = `${door} ${door === 'rest' ? place : ''} ${schema.type} ${schema.format} ${JSON.stringify(leaf)}`
          if (through.has(kind)) continue
          if (door === 'rest' && inAddress && text.includes('\\ud')) continue
          if (door === 'rest' && isPath && (value === '' || Array.isArray(value))) continue
          through.add(kind)
          give(door, doors[door]!, storable || (door === 'rest' && inAddress && !text.includes('\\u0000')))
        }
      }
    }
  }
  const calls = waiting.length
  const worker = async () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) await next()
  }
  await Promise.all(Array.from({ length: 6 }, worker))
  t.same(failures.slice(0, 20), [], `${calls} calls, ${through.size} of them through REST and MCP`)
  t.ok(calls > 1500 && through.size > 200, `${calls} calls, ${through.size} of them through REST and MCP`)
})

interface Bad {
  value: unknown
  /** What is bad in it, without what is around it. */
  leaf: unknown
  /** It may be a legal value: then only a 500 is wrong. */
  storable: boolean
}

const unstorable = ['a\0b', 'a\ud800b', '\udc00']
const times = [
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59-14:00',
  '2026-01-01T00:00:00+23:59',
  '2026-02-30T00:00:00Z',
  '0001-01-01T00:00:00+14:00',
]
const texts = ['', "'; drop table runs; --", '${x}', '9'.repeat(400), '\u0001']
const numbers = [-1, 0.5, 2 ** 31, 2 ** 53, 1e300, -(2 ** 63)]

function badValues(schema: JsonSchema): Bad[] {
  const type = [schema.type ?? []].flat()[0]
  const branches = (schema.anyOf ?? schema.oneOf) as JsonSchema[] | undefined
  if (branches) return branches.flatMap(badValues)
  const never = (value: unknown) => ({ value, leaf: value, storable: false })
  const perhaps = (value: unknown) => ({ value, leaf: value, storable: true })
  if (type === 'string') {
    const others = schema.format === 'date-time' ? times : texts
    return [...unstorable.map(never), never(7), ...others.map(perhaps)]
  }
  if (type === 'integer' || type === 'number') return [...numbers.map(perhaps), never('x\0'), never([])]
  if (type === 'boolean') return [never('\0'), never({})]
  if (type === 'array')
    return [never('\0'), ...badValues(schema.items ?? {}).map((bad) => ({ ...bad, value: [bad.value] })), perhaps([])]
  const properties = Object.entries(schema.properties ?? {})
  const inside = properties.flatMap(([key, inner]) =>
    badValues(inner).map((bad) => ({ ...bad, value: { ...sample(schema), [key]: bad.value } })),
  )
  const others = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
  const keyed = others
    ? ['env.A'].flatMap((key) => [
        ...unstorable.map((bad) => never({ [key + bad]: 'x' })),
        ...badValues(others).map((bad) => ({ ...bad, value: { [key]: bad.value } })),
        perhaps({ '': 'x' }),
      ])
    : []
  return [never('\0'), never([1]), ...inside, ...keyed]
}

const sample = (schema: JsonSchema): Record<string, unknown> =>
  Object.fromEntries(
    (schema.required ?? []).map((key) => [key, key === 'base64' ? 'eA==' : key === 'content' ? exampleScenario : 'x']),
  )

/** FUZZ_REQUESTS asks for more of them (10,000 take two minutes of processor time), FUZZ_SEED for those of an earlier time. */
const requests = Number(process.env.FUZZ_REQUESTS ?? 600)
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)

t.test(`${requests} generated requests: every answer is of the declared shape, or an error of the table`, async (t) => {
  t.comment(`FUZZ_SEED=${seed}`)
  // What ends the caller itself, or everything, with no more than its name.
  // And nobody here opens pages: an outline would wait for it.
  const safe = commands.filter(
    ({ name, effect, input }) =>
      name !== 'pages.outline' && (effect !== 'destroy' || Object.keys(input.shape).length > 0),
  )
  const orders = fc
    .sample(fc.integer({ min: 0, max: 2 ** 30 }), { seed, numRuns: requests })
    .map((salt, at) => ({ command: safe[at % safe.length]!, salt, door: oneOf[Math.floor(at / safe.length) % 2]! }))
  const failures: string[] = []
  let taken = 0
  const worker = async () => {
    for (let order = orders.pop(); order; order = orders.pop()) {
      const { command, salt, door } = order
      const [made] = fc.sample(anyInput(inputSchema(command)), { seed: salt, numRuns: 1 })
      const input = made as Record<string, unknown>
      for (const key of ['wait', 'seconds']) if (key in command.input.shape) input[key] = 0
      const outcome = await doors[door]!(command, input).catch((error: Error) => ({
        // A lone surrogate cannot be written into an address, and a body with __proto__ is refused as none.
        error: error instanceof URIError || error.message.includes('-32700') ? 'bad_request' : error.message,
        message: '',
      }))
      if ('answer' in outcome) {
        taken++
        if (command.routes[0]!.status === 204 && door === 'rest') continue // no answer to check
        const checked = command.output.safeParse(outcome.answer)
        if (checked.success) continue
        failures.push(`${command.name} at ${door}, salt ${salt}: ${checked.error.message.slice(0, 200)}`)
      } else if (!(outcome.error in errorTable) || errorTable[outcome.error as ErrorCode].status >= 500)
        failures.push(`${command.name} at ${door}, salt ${salt}: ${JSON.stringify([outcome, input]).slice(0, 400)}`)
    }
  }
  await Promise.all(Array.from({ length: 8 }, worker))
  t.same(failures.slice(0, 20), [], `${failures.length} of ${requests}; FUZZ_SEED=${seed}`)
  t.ok(taken > requests / 20, `${taken} were good requests`)
  t.equal((await here.rest('GET /v1/me')).status, 200, 'and the caller is there still')
})

t.test('a refused write is on record whatever was in its input', async (t) => {
  const { body } = await here.rest('POST /v1/api-keys', { name: 'reader', scopes: ['mcp:read'] })
  const headers = { authorization: `Bearer ${body.api_key}` }
  for (const command of commands.filter((one) => one.effect !== 'read' && !one.access.public)) {
    const [route] = command.routes
    const path = (id: string) => route!.path.replace(/\{\w+\}/g, encodeURIComponent(id))
    for (const bad of ['a\0b', '\u{1f9b7}', 'x'.repeat(200)]) {
      const inBody =
        route!.method === 'POST' ? { id: bad, scenario_id: bad, files: [1], content: { a: bad } } : undefined
      const answer = await here.rest(`${route!.method} ${path(bad)}`, inBody, headers)
      t.match(
        answer,
        // Which org is meant comes first where the input says it, and there is none of such a name.
        command.access.org
          ? { status: /400|404|422/, body: { error: /bad_request|not_found|validation_failed/ } }
          : { status: 403, body: { error: /insufficient_scope|forbidden/ } },
        `${command.name} ${JSON.stringify(bad).slice(0, 20)}`,
      )
    }
    const huge = { id: 'x'.repeat(1 << 17), scenario_id: 'x'.repeat(1 << 17), content: 1 }
    if (route!.method === 'POST' && !route!.path.includes('{'))
      t.match(
        await here.rest(`POST ${route!.path}`, huge, headers),
        { status: 403 },
        `${command.name} with a quarter of a megabyte`,
      )
  }
  const { rows } = await owner.query('select max(length(target)) as longest from audit_events')
  t.ok(rows[0].longest <= 4000, `an audit target stays short: ${rows[0].longest}`)
})

t.test('Idempotency-Key', async (t) => {
  const keyed = (key: string, body: unknown, route = 'POST /v1/api-keys') =>
    here.rest(route, body, { 'idempotency-key': key })
  await t.test('the same request again gets the same answer, a secret too, and another one 422', async (t) => {
    const first = await keyed('once', { name: 'repeated' })
    const again = await keyed('once', { name: 'repeated' })
    t.equal(first.status, 201)
    t.same(again.body, first.body, 'the plaintext key among it')
    t.match(first.body.api_key, /^molar_sk_/)
    t.match(await keyed('once', { name: 'another' }), { status: 422, body: { error: 'idempotency_key_reused' } })
    t.match(
      await keyed('once', { slug: 'x' }, 'POST /v1/scenarios/new'),
      { status: 200 },
      'a read takes no notice of it',
    )
    const { body } = await here.rest('GET /v1/api-keys?limit=200')
    t.equal(body.items.filter((one: { name: string }) => one.name === 'repeated').length, 1, 'one key was made')
    const stored = await everyByte()
    t.notOk(holds(stored, first.body.api_key), 'no table holds the plaintext')
    t.notOk(holds(stored, here.token), 'nor the owner’s')
    t.ok(holds(stored, 'repeated'), 'where what is no secret is found by the same search')
    t.same(
      (await doorsKeyed('mcp-once', { name: 'by mcp' })).api_key,
      (await doorsKeyed('mcp-once', { name: 'by mcp' })).api_key,
    )
  })
  await t.test('keys that are none are 400', async (t) => {
    t.equal((await keyed('x'.repeat(256), { name: 'x' })).status, 400)
    t.equal((await keyed('', { name: 'x' })).status, 400)
  })
  await t.test('the same key of another caller is another key', async (t) => {
    const { body } = await here.rest('POST /v1/api-keys', { name: 'writer', scopes: ['mcp:read', 'mcp:write'] })
    const other = await here.rest(
      'POST /v1/scenarios',
      { content: exampleScenario.replace('Home', 'Other') },
      { 'idempotency-key': 'once', authorization: `Bearer ${body.api_key}` },
    )
    t.equal(other.status, 200, 'no 422')
  })
  await t.test(
    'in flight 409; a claim that ran out is free, and the call that was too slow changes nothing',
    async (t) => {
      const other = exampleScenario.replaceAll('example-home', 'slow').replace('e1\n', 'e2\n')
      const upload = (content = other) => keyed('slow', { content }, 'POST /v1/scenarios')
      const blocker = new pg.Client({ connectionString: here.config.migrationUrl })
      await blocker.connect()
      await blocker.query('begin')
      await blocker.query('lock table scenarios') // an upload waits here
      const slow = upload()
      await claimed()
      const second = await upload()
      t.match(second, { status: 409, body: { error: 'idempotency_in_flight' } })
      t.equal((await upload(exampleScenario)).status, 422, 'another body is told from one in flight')
      await owner.query(`update idempotency_keys set claimed_until = now() - interval '1 second' where answer is null`)
      const third = upload()
      await claimed(2)
      await blocker.query('commit')
      await blocker.end()
      const answers = await Promise.all([slow, third])
      t.same(answers.map(({ status }) => status).sort(), [200, 409], 'one of the two made it')
      const { rows } = await owner.query(
        `select count(*)::int as made from scenario_versions where content like '%slug: slow%'`,
      )
      t.equal(rows[0].made, 1)
      const winner = answers.find(({ status }) => status === 200)!
      t.same((await upload()).body, winner.body, 'and its answer is given again')
    },
  )

  async function doorsKeyed(key: string, args: object): Promise<{ api_key: string }> {
    const { body } = await here.rest(
      'POST /mcp?toolsets=all',
      mcpCall('molar_create_key', args, { 'molar/idempotency-key': key }),
      mcpHeaders('molar_create_key'),
    )
    return body.result.structuredContent
  }
  async function claimed(waiting = 1) {
    for (let left = 200; left > 0; left--) {
      const { rows } = await owner.query(
        `select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
      )
      if (rows[0].n >= waiting) return
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    throw new Error('no call waits')
  }
})

const mcpHeaders = (name: string) => ({
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'tools/call',
  'mcp-name': name,
})
const mcpCall = (name: string, args: object, meta: object = {}) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: {
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
      ...meta,
    },
    name,
    arguments: args,
  },
})

/** Every row of every table as text; bytes as hex. */
async function everyByte(): Promise<string> {
  const { rows } = await owner.query(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('public', 'app', 'pgboss')`,
  )
  const texts: string[] = []
  for (const { name } of rows) {
    const found = await owner.query(`select t::text as row from ${name} t`)
    texts.push(...found.rows.map(({ row }) => row))
  }
  return texts.join('\n')
}

const holds = (bytes: string, text: string) =>
  [text, Buffer.from(text).toString('hex'), Buffer.from(text).toString('base64').slice(0, -4)].some((form) =>
    bytes.includes(form),
  )
