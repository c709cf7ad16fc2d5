import { readFileSync } from 'node:fs'
import t from 'tap'
import type { Command } from '../../src/core/command.ts'
import { commands } from '../../src/core/index.ts'
import { acting, type PrincipalKind, type Role, scopeNames } from '../../src/core/principal.ts'
import { powerOf } from '../../src/core/stages/access.ts'
import { openPeople } from '../fixtures/people.ts'
import { world } from '../fixtures/world.ts'

// Every command × every kind of credential × every role × own, other and absent org: allowed exactly as access.tsv
// says. A command without a row there fails, and so does one whose row says something else than its declaration.

interface Row {
  command: string
  scope: string
  /** What the role must give; `person`: it concerns no org; `public`: nobody needs to be known. */
  power: string
  kinds: string[]
  /** Whether a session must be new. */
  fresh: boolean
}

/** Said here once more, on purpose: src/core/principal.ts is what is tested. */
const powers: Record<Role, string[]> = {
  owner: ['belong', 'read', 'work', 'manage', 'bill', 'own'],
  admin: ['belong', 'read', 'work', 'manage'],
  maintainer: ['belong', 'read', 'work'],
  viewer: ['belong', 'read'],
  billing: ['belong', 'bill'],
}
const groups: Record<string, string[]> = {
  acting: ['local_owner', 'session', 'api_key', 'pat', 'svc', 'oauth', 'internal'],
  'in-person': ['local_owner', 'session'],
}
const covered: Record<string, string[]> = { 'mcp:write': ['mcp:read', 'scheduled_checks:manage'] }

const table = readFileSync(new URL('access.tsv', import.meta.url), 'utf8')
const rows = new Map(
  table
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
    .map((line): [string, Row] => {
      const [command = '', scope = '', power = '', kinds = '', fresh] = line.split('\t')
      return [command, { command, scope, power, kinds: groups[kinds] ?? kinds.split(','), fresh: fresh === 'fresh' }]
    }),
)

function declared(command: Command): string {
  const { name, access } = command
  const same = (one: readonly string[], other: readonly string[] = []) =>
    `${[...one].sort()}` === `${[...other].sort()}`
  const kinds = access.credentials ?? acting
  const group = Object.keys(groups).find((key) => same(kinds, groups[key])) ?? kinds.join(',')
  const power = access.public ? 'public' : access.tenant === false ? 'person' : powerOf(command)
  return [name, access.scope, power, group, ...(access.fresh ? ['fresh'] : [])].join('\t')
}

t.test('every command has a row, every row a command, and they say the same', async (t) => {
  for (const command of commands) {
    const line = declared(command)
    t.ok(table.split('\n').includes(line), `test/doors/access.tsv has the line\n${line}`)
  }
  const known = new Set<string>(commands.map(({ name }) => name))
  t.same(
    [...rows.keys()].filter((name) => !known.has(name)),
    [],
    'no row is left over',
  )
})

const internal = 'the internal token of this test, long'
const here = await world(t, { environment: { MOLAR_INTERNAL_TOKEN: internal } })
const people = await openPeople(t, here)
const { org: local } = (await here.rest('GET /v1/me')).body
const other = await people.org('other', {})
const absent = '019301c0-cafe-7000-bea7-00000000dead'

interface Caller {
  title: string
  kind: PrincipalKind
  role: Role
  scopes: readonly string[]
  user: boolean
  headers: Record<string, string>
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const callers: Caller[] = [
  { title: 'nobody', kind: 'nobody', role: 'viewer', scopes: [], user: false, headers: { authorization: '' } },
  {
    title: 'local owner',
    kind: 'local_owner',
    role: 'owner',
    scopes: scopeNames,
    user: true,
    headers: bearer(here.token.trim()),
  },
  {
    title: 'internal',
    kind: 'internal',
    role: 'maintainer',
    scopes: scopeNames,
    user: false,
    headers: { authorization: '', 'x-internal-token': internal, 'x-org-id': local.id },
  },
]
for (const role of Object.keys(powers) as Role[]) {
  const user = await people.person(role)
  await people.join(local.id, user, role)
  const cookie = await people.session(user, local.id)
  callers.push({
    title: `session of ${role}`,
    kind: 'session',
    role,
    scopes: scopeNames,
    user: true,
    headers: { authorization: '', cookie, 'sec-fetch-site': 'same-origin' },
  })
  for (const kind of ['pat', 'oauth'] as const) {
    const headers = bearer(await people.token(kind, local.id, user, role, scopeNames))
    callers.push({ title: `${kind} of ${role}`, kind, role, scopes: scopeNames, user: true, headers })
  }
}
for (const kind of ['api_key', 'svc'] as const) {
  const headers = bearer(await people.token(kind, local.id, null, 'maintainer', scopeNames))
  callers.push({ title: kind, kind, role: 'maintainer', scopes: scopeNames, user: false, headers })
}
for (const scope of scopeNames) {
  const scopes = scopeNames.filter((one) => one !== scope && !covered[one]?.includes(scope))
  const headers = bearer(await people.token('api_key', local.id, null, 'owner', scopes))
  callers.push({ title: `key without ${scope}`, kind: 'api_key', role: 'owner', scopes, user: false, headers })
}

/** Input that no command takes: what is let in is told so, and nothing happens. */
async function probe(command: Command, headers: Record<string, string>, org = local.id) {
  const { method, path } = command.routes[0]!
  const target = path.replace('{org}', org).replace(/\{\w+\}/g, absent)
  const inBody = method !== 'GET' && method !== 'DELETE'
  const line = `${method} ${target}${inBody ? '' : '?no_such_field=1'}`
  return here.rest(line, inBody ? { no_such_field: 1 } : undefined, { accept: 'application/json', ...headers })
}

function mayCall(row: Row, caller: Caller): boolean {
  if (caller.kind === 'nobody') return row.power === 'public'
  if (!row.kinds.includes(caller.kind)) return false
  if (!caller.scopes.some((scope) => scope === row.scope || covered[scope]?.includes(row.scope))) return false
  if (row.power === 'person') return caller.user
  return row.power === 'public' || powers[caller.role].includes(row.power)
}

/** All at once would be a queue in the server; a few keep it busy. */
async function each<Item>(items: Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const left = [...items]
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item)
    }),
  )
}

t.test('who may call what, and nobody else', async (t) => {
  const wrong: string[] = []
  let asked = 0
  const pairs = commands.flatMap((command) => callers.map((caller) => ({ command, caller })))
  await each(pairs, async ({ command, caller }) => {
    const row = rows.get(command.name)
    if (!row) return
    const { status, body } = await probe(command, caller.headers)
    const letIn = (status === 422 || status === 400) && JSON.stringify(body).includes('no_such_field')
    const turnedAway = caller.kind === 'nobody' ? status === 401 : status === 403
    asked++
    if (mayCall(row, caller) ? !letIn : !turnedAway)
      wrong.push(
        `${command.name} by ${caller.title}: ${mayCall(row, caller) ? 'allowed' : 'refused'} by the table, answered ${status} ${JSON.stringify(body).slice(0, 200)}`,
      )
  })
  t.same(wrong, [])
  t.comment(`${asked} calls: ${commands.length} commands × ${callers.length} callers`)
})

t.test('what reaches far takes a session that began a moment ago; the rest does not', async (t) => {
  const session = callers.find(({ title }) => title === 'session of owner')!
  const token = session.headers.cookie!.split('=')[1]!.split('.')[0]!
  await people.sql(`update sessions set created_at = now() - interval '16 minutes' where fingerprint = $1`, [
    people.fingerprint(token),
  ])
  const wrong: string[] = []
  await each([...commands], async (command) => {
    const row = rows.get(command.name)!
    const { status, body } = await probe(command, session.headers)
    const again = status === 403 && body.error === 'reauthentication_required'
    if (again !== row.fresh) wrong.push(`${command.name}: ${status} ${JSON.stringify(body).slice(0, 200)}`)
  })
  t.same(wrong, [])
  t.ok([...rows.values()].filter((row) => row.fresh).length > 5)
})

t.test('an org that is not the caller’s answers like one that is not there', async (t) => {
  const wrong: string[] = []
  const foreign = callers.filter(({ kind }) => !['nobody', 'internal'].includes(kind)).slice(0, 6)
  const pairs = commands.flatMap((command) => foreign.map((caller) => ({ command, caller })))
  await each(pairs, async ({ command, caller }) => {
    const plain = async (org: string) => {
      const { status, body } = await probe(command, { ...caller.headers, 'x-org-id': org }, org)
      return `${status} ${JSON.stringify(body)
        .replaceAll(org, '<org>')
        .replaceAll(/[\da-f]{8}-[\da-f-]{27}/g, '<id>')}`
    }
    const [theirs, none] = [await plain(other), await plain(absent)]
    const refused =
      theirs.startsWith(command.access.org ? '404' : '403') ||
      ['person', 'public'].includes(rows.get(command.name)?.power ?? '')
    if (theirs !== none || !refused) wrong.push(`${command.name} by ${caller.title}: ${theirs} | ${none}`)
  })
  t.same(wrong, [])
})
