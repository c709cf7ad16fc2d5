import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import pg from 'pg'
import t from 'tap'
import { ensureOrg } from '../../src/auth/store.ts'
import type { Command, Route } from '../../src/core/command.ts'
import { newId } from '../../src/core/ids.ts'
import { commands } from '../../src/core/index.ts'
import { makeKeyring } from '../../src/core/keyring.ts'
import { insertKey, newToken, tokenPrefix } from '../../src/core/keys/index.ts'
import { scopeNames } from '../../src/core/principal.ts'
import { exampleScenario } from '../../src/core/scenarios/example.ts'
import { inputSchema } from '../../src/core/schema.ts'
import { openDatabase, silentLog } from '../../src/db/index.ts'
import { openCall } from '../fixtures/doors.ts'
import { seedExampleRun } from '../fixtures/example-run.ts'
import { world } from '../fixtures/world.ts'

// What belongs to another org is not there: whatever is asked, by whatever door, the answer is that of an absent id.

const secret = 'a secret of this test alone, long enough'
const here = await world(t, {
  environment: { MOLAR_SECRET: secret, MOLAR_READS_PER_MINUTE: '0', MOLAR_WRITES_PER_MINUTE: '0' },
})
await here.rest('POST /v1/scenarios', { content: exampleScenario })
await seedExampleRun(here)
for (const name of ['one', 'two']) await here.rest('POST /v1/api-keys', { name })
await here.rest('POST /v1/runs/manual', { scenario_id: 'example-home' })

/** Where an org is served is for anybody who knows its name. */
const hiding = commands.filter(({ name }) => name !== 'orgs.instance')
const { org: theirs } = (await here.rest('GET /v1/me')).body
const other = await secondOrg()
const asOther = { authorization: `Bearer ${other.token}` }
const candidates = await theirIds()

async function secondOrg() {
  const database = openDatabase({ url: here.config.databaseUrl!, applicationName: 'test:orgs', log: silentLog })
  const token = newToken()
  const ids = await database.system.tx(async (tx) => {
    const made = await ensureOrg(
      tx,
      { id: newId(), slug: 'other', name: 'Other' },
      { id: newId(), email: 'other@localhost', name: 'other' },
    )
    await insertKey(tx, {
      id: newId(),
      kind: 'api_key',
      orgId: made.org_id,
      name: 'other owner',
      prefix: tokenPrefix(token),
      fingerprint: makeKeyring(secret).fingerprint(token),
      scopes: scopeNames,
      role: 'owner',
      userId: made.user_id,
      expiresAt: null,
    })
    return made
  })
  await database.close()
  return { token, id: ids.org_id }
}

interface Candidate {
  value: string
  /** Of the same form, and nobody's. */
  absent: string
}

/** Everything in the first org's rows that might name something: ids, slugs, short ids, hashes. */
async function theirIds(): Promise<Candidate[]> {
  const client = new pg.Client({ connectionString: here.config.migrationUrl })
  await client.connect()
  const { rows: columns } = await client.query<{ table_name: string; column_name: string }>(
    `select c.table_name, c.column_name from information_schema.columns c
     join information_schema.columns o on o.table_name = c.table_name and o.column_name = 'org_id' and o.table_schema = 'public'
     where c.table_schema = 'public' and c.column_name <> 'org_id' and (c.data_type = 'uuid' or c.column_name in ('slug', 'short_id', 'sha256'))`,
  )
  const values = new Set<string>([theirs.id])
  for (const { table_name, column_name } of columns) {
    const { rows } = await client.query(
      `select distinct ${column_name}::text as value from ${table_name} where org_id = $1 and ${column_name} is not null limit 1`,
      [theirs.id],
    )
    for (const { value } of rows) values.add(value)
  }
  await client.end()
  return [...values].map((value) => ({ value, absent: absentOf(value) }))
}

function absentOf(value: string): string {
  if (/^[0-9a-f-]{36}$/.test(value)) return '019301c0-cafe-7000-bea7-00000000dead'
  return value
    .replace(/[a-z0-9]/gi, (letter) => (/\d/.test(letter) ? '7' : /[a-f]/.test(letter) ? 'b' : letter))
    .replace(/.$/, (last) => (last === '3' ? '4' : '3'))
}

interface Naming {
  field: string
  list: boolean
}

/** Fields that may name something: text, or a list of text. */
const namingFields = (command: Command): Naming[] =>
  Object.entries(inputSchema(command).properties ?? {}).flatMap(([field, schema]): Naming[] => {
    const schemas = [schema, ...(schema.anyOf ?? [])]
    if (['cursor', 'fields', 'content'].includes(field)) return []
    // A secret's name is the caller's own word: whatever is given, `set` makes it, and `delete` then finds it.
    if (command.noun === 'secrets' && command.effect !== 'read') return []
    if (schemas.some(({ type, enum: values }) => type === 'string' && !values)) return [{ field, list: false }]
    if (schema.type === 'array' && schema.items?.type === 'string') return [{ field, list: true }]
    return []
  })

const baseOf = (command: Command): Record<string, unknown> => {
  const example = (command.examples.find((one) => !one.error) ?? command.examples[0])!.input as Record<string, unknown>
  const hurry = Object.fromEntries(['wait', 'seconds'].flatMap((key) => (key in command.input.shape ? [[key, 0]] : [])))
  return { ...example, ...hurry }
}

function requestOf(route: Route, input: Record<string, unknown>) {
  const rest = { ...input }
  const path = route.path.replace(/\{(\w+)\}/g, (_all, name: string) => {
    const value = String(rest[name])
    delete rest[name]
    return encodeURIComponent(value)
  })
  const inBody = route.method !== 'GET' && route.method !== 'DELETE'
  const query = new URLSearchParams(
    Object.entries(rest).flatMap(([key, value]) => [value].flat().map((one) => [key, String(one)])),
  )
  return {
    line: `${route.method} ${path}${inBody || query.size === 0 ? '' : `?${query}`}`,
    body: inBody ? rest : undefined,
  }
}

/** Without the ids that were asked for, and those beside them. */
function plain(text: string, id: string): string {
  const ids = candidates.flatMap(({ value, absent }) => [value, absent])
  return [id, ...ids].reduce((rest, one) => rest.replaceAll(one, '<id>'), text)
}

/** The whole answer but for what differs between any two: its id, time and request id. */
async function seen(route: Route, input: Record<string, unknown>, id: string, headers: Record<string, string>) {
  const { line, body } = requestOf(route, input)
  const answer = await here.rest(line, body, { ...asOther, ...headers })
  const kept = [...answer.headers].filter(
    ([name]) => !['date', 'x-request-id', 'content-length', 'keep-alive'].includes(name),
  )
  return plain(JSON.stringify({ status: answer.status, headers: kept, body: answer.body }), id)
}

t.test('nothing that the other org reads holds anything of the first', async (t) => {
  const foreign = candidates.map(({ value }) => value)
  for (const command of commands.filter(({ effect }) => effect === 'read')) {
    for (const { input, error } of command.examples) {
      if (error) continue
      const own = Object.fromEntries(
        Object.entries(input as object).filter(
          ([, value]) =>
            !JSON.stringify(value).includes('019301c0') && !foreign.some((id) => JSON.stringify(value).includes(id)),
        ),
      )
      const route = command.routes[0]!
      if (/\{/.test(route.path)) continue
      const { line, body } = requestOf(route, { ...own, ...('limit' in command.input.shape && { limit: 200 }) })
      const answer = await here.rest(line, body, asOther)
      t.ok(answer.status < 500, `${line}: ${answer.status}`)
      const text = JSON.stringify(answer.body)
      t.same(
        foreign.filter((id) => text.includes(id)),
        [],
        `${line} of the other org`,
      )
    }
  }
})

/** What makes something new of a text (a title) may differ in what it made; then it must hold nothing of the first org. */
function agree(foreign: string, none: string): boolean {
  if (foreign === none) return true
  const made = [foreign, none].every((one) => one.startsWith('{"status":2') || !/"isError":true|^[^{]/.test(one))
  return made && (foreign.match(/<id>/g)?.length ?? 0) <= (none.match(/<id>/g)?.length ?? 0)
}

/** One of the candidates for each turn: over all commands and fields each has its turns. */
const turns = () => {
  let turn = 0
  return () => candidates[turn++ % candidates.length]!
}

t.test('every command × every foreign id answers as an absent id does', async (t) => {
  const leaks: string[] = []
  let pairs = 0
  const inside = (await openCall(t, here))(other.token)
  const next = turns()
  const compare = async (what: string, { value, absent }: Candidate, ask: (id: string) => Promise<string>) => {
    pairs++
    const [foreign, none] = [await ask(value), await ask(absent)]
    if (!agree(foreign, none)) leaks.push(`${what}=${value}:\n  ${foreign.slice(0, 300)}\n  ${none.slice(0, 300)}`)
  }
  for (const command of hiding) {
    const base = baseOf(command)
    for (const { field, list } of namingFields(command)) {
      const give = (id: string) => ({ ...base, [field]: list ? [id] : id })
      const absences = new Map<string, string>() // most candidates have the same absent id
      for (const candidate of candidates)
        await compare(`${command.name} ${field}`, candidate, async (id) => {
          const known = absences.get(id)
          if (known !== undefined) return known
          const outcome = await inside(command, give(id))
          const seen = plain(JSON.stringify('answer' in outcome ? { status: 200, outcome } : outcome), id)
          if (id === candidate.absent) absences.set(id, seen)
          return seen
        })
      // By HTTP the whole answer, headers too.
      for (const route of command.routes) {
        const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!)
        if (inPath.some((name) => name !== field && base[name] === undefined)) continue
        for (const accept of command.events ? ['application/json', 'text/event-stream'] : ['application/json'])
          await compare(`${command.name} ${route.path} (${accept}) ${field}`, next(), (id) =>
            seen(route, give(id), id, { accept }),
          )
      }
    }
  }
  t.same(leaks, [], `${pairs} pairs`)
  t.ok(pairs > 800, `${pairs} pairs over ${candidates.length} ids`)
})

t.test('a cursor of one org is worth nothing in another', async (t) => {
  let tried = 0
  for (const command of commands.filter((one) => 'cursor' in one.input.shape)) {
    const { line } = requestOf(command.routes[0]!, { limit: 1 })
    const first = await here.rest(line)
    const cursor = first.body.next_cursor
    if (!cursor) continue
    tried++
    t.equal((await here.rest(`${line}&cursor=${cursor}`)).status, 200, `${command.name}: good at home`)
    t.match(await here.rest(`${line}&cursor=${cursor}`, undefined, asOther), {
      status: /4\d\d/,
      body: { message: /^cursor: / },
    })
  }
  t.ok(tried >= 3, `${tried} lists had a second page`)
})

t.test('a blob’s link is good for its org, bytes, name and time, and nothing else', async (t) => {
  const { body } = await here.rest('GET /v1/runs?status=failed&limit=1')
  const artifact = await here.rest(`GET /v1/runs/${body.items[0].id}/artifacts/report`)
  const url = new URL(artifact.body.url)
  const read = async (change: (link: URL) => void, headers = {}) => {
    const link = new URL(url)
    change(link)
    return (await fetch(link, { headers })).status
  }
  t.equal(await read(() => {}), 200)
  t.equal(await read((link) => (link.pathname = link.pathname.replace(theirs.id, other.id))), 403, 'another org')
  t.equal(await read((link) => (link.pathname = link.pathname.replace(/.$/, '0'))), 403, 'other bytes')
  for (const name of ['name', 'type', 'expires', 'signature'])
    t.equal(await read((link) => link.searchParams.set(name, `${Date.now()}`)), 403, `another ${name}`)
  t.equal(await read((link) => (link.search = '')), 403, 'no signature')
  t.equal(await read((link) => (link.pathname = `/blobs/${theirs.id}/..%2f..%2fkey`)), 403, 'no path out')
})

t.test('MCP: neither tools nor resources nor sessions cross', async (t) => {
  const connect = async (mode: string) => {
    const client = new Client({ name: 'other', version: '1' }, { versionNegotiation: { mode } } as never)
    await client.connect(
      new StreamableHTTPClientTransport(new URL(`${here.url}/mcp?toolsets=all`), { requestInit: { headers: asOther } }),
    )
    t.teardown(() => client.close())
    return client
  }
  for (const mode of ['auto', 'legacy']) {
    const client = await connect(mode)
    const { resourceTemplates } = await client.listResourceTemplates()
    const next = turns()
    let read = 0
    // All of it in one era is enough: both end in the same call.
    for (const { uriTemplate } of resourceTemplates) {
      for (const { value, absent } of mode === 'auto' ? candidates : [next()]) {
        const ask = (id: string) =>
          client.readResource({ uri: uriTemplate.replace(/\{\w+\}/, id).replace(/\{.*\}/, '') }).then(
            (found) => JSON.stringify(found).replaceAll(id, '<id>'),
            (error: Error) => `${(error as { code?: number }).code} ${error.message}`.replaceAll(id, '<id>'),
          )
        read++
        t.equal(await ask(value), await ask(absent), `${uriTemplate} ${value}`)
      }
    }
    t.ok(read > (mode === 'auto' ? 20 : 3), `${read} resources`)
    for (const command of mode === 'auto' ? hiding : [])
      for (const { field, list } of namingFields(command)) {
        const { value, absent } = next()
        const ask = async (id: string) => {
          const args = { ...baseOf(command), [field]: list ? [id] : id }
          return plain(JSON.stringify(await client.callTool({ name: command.tool, arguments: args })), id)
        }
        const [foreign, none] = [await ask(value), await ask(absent)]
        if (!agree(foreign, none)) t.equal(foreign, none, `${command.tool} ${field} ${value}`)
      }
  }
  const headers = { accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-11-25' }
  const initialize = {
    jsonrpc: '2.0',
    id: 0,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
  }
  const opened = await here.rest('POST /mcp', initialize, headers)
  const session = opened.headers.get('mcp-session-id')!
  t.ok(session)
  const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
  const stolen = await here.rest('POST /mcp', list, { ...headers, ...asOther, 'mcp-session-id': session })
  const invented = await here.rest('POST /mcp', list, { ...headers, ...asOther, 'mcp-session-id': newId() })
  t.equal(stolen.status, 404)
  t.same(stolen.body, invented.body, 'a stolen session is as one that is not there')
})

t.test('an org header that names another org is 403, whether that org exists or not', async (t) => {
  const known = async (header: string, value: string, headers = asOther) =>
    here.rest('GET /v1/me', undefined, { ...headers, [header]: value })
  for (const header of ['x-org-id', 'x-molar-org', 'x-molecule-org-id', 'x-molecule-org-slug']) {
    t.equal((await known(header, other.id)).status, 200, `${header}: its own id`)
    t.equal((await known(header, 'other')).status, 200, `${header}: its own slug`)
    for (const [foreign, absent] of [
      [theirs.id, newId()],
      [theirs.slug, 'nobody'],
    ] as const) {
      const answer = await known(header, foreign)
      t.match(answer, { status: 403, body: { error: 'forbidden' } }, `${header}: ${foreign}`)
      t.same(
        JSON.stringify(answer.body).replaceAll(foreign, ''),
        JSON.stringify((await known(header, absent)).body).replaceAll(absent, ''),
      )
    }
  }
  const both = await here.rest('GET /v1/me', undefined, {
    ...asOther,
    'x-org-id': other.id,
    'x-molecule-org-slug': theirs.slug,
  })
  t.equal(both.status, 403, 'its own id beside a foreign slug')
  t.equal(
    (await here.rest('GET /v1/me', undefined, { ...asOther, 'x-org-id': other.id, 'x-molar-org': theirs.id })).status,
    400,
  )
})

t.test('the same scenario id, slug and Idempotency-Key in two orgs are two', async (t) => {
  const before = (await here.rest('GET /v1/scenarios/example-home')).body
  const content = exampleScenario.replace('# Home', '# Not the same')
  const uploaded = await here.rest('POST /v1/scenarios', { content }, { ...asOther, 'idempotency-key': 'shared' })
  t.match(uploaded.body, { status: 'created', version: 1 })
  t.same((await here.rest('GET /v1/scenarios/example-home')).body, before, 'the first org’s is untouched')
  const own = await here.rest('POST /v1/scenarios', { content: exampleScenario }, { 'idempotency-key': 'shared' })
  t.match(own.body, { status: 'unchanged' })
  await here.rest('DELETE /v1/scenarios/example-home', undefined, asOther)
  t.equal((await here.rest('GET /v1/scenarios/example-home')).body.archived_at, null)
})
