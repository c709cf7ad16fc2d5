import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { pino } from 'pino'
import t from 'tap'
import { fileCheckpoints, makeCheckpointer, verifyExport } from '../../src/core/audit/index.ts'
import { makeKeyring } from '../../src/core/keyring.ts'
import { type AuditRecord, chainHash } from '../../src/core/stages/audit.ts'
import { openDatabase, silentLog } from '../../src/db/index.ts'
import { run as molar, world } from '../fixtures/world.ts'

// Who may write the database can change the audit trail, but not without its being found: what, and where.

const secret = 'the secret of this installation'.padEnd(40, '.')
const here = await world(t, { environment: { MOLAR_SECRET: secret } })
const owner = new pg.Client({ connectionString: here.config.migrationUrl })
await owner.connect()
owner.on('error', () => {}) // its database is dropped under it

const { id: orgId } = (await here.rest('GET /v1/me')).body.org
const folder = join(here.home, 'checkpoints')
const database = openDatabase({ url: here.config.databaseUrl!, applicationName: 'test:audit', log: silentLog })
t.teardown(() => database.close())
const told: object[] = []
const log = pino({ level: 'error' }, { write: (line) => void told.push(JSON.parse(line)) })
/** As the server does every minute. */
const sign = makeCheckpointer({
  db: database,
  keyring: makeKeyring(secret),
  checkpoints: fileCheckpoints(folder),
  log,
})

const write = (name: string) => here.rest('POST /v1/api-keys', { name })
const verify = async () => (await here.rest('GET /v1/audit-events/verify')).body
for (let number = 1; number <= 6; number++) await write(`key ${number}`)
await sign()
for (let number = 7; number <= 9; number++) await write(`key ${number}`)

t.test('a chain that nobody touched is whole, and its checkpoints say how far that is proven', async (t) => {
  t.match(await verify(), { valid: true, events: 9, last_seq: 9, checkpoints: 1, vouched_to: 6, problems: [] })
  t.equal(await sign(), 1, 'only a chain that has grown is signed')
  t.equal(await sign(), 0)
  t.match(await verify(), { valid: true, checkpoints: 2, vouched_to: 9 })
  const [line] = (await readFile(join(folder, `${orgId}.ndjson`), 'utf8')).split('\n')
  t.match(JSON.parse(line!), { org_id: orgId, seq: 6, key_id: 1, signature: /^[\w-]{86}$/ })
  t.equal(((await stat(join(folder, `${orgId}.ndjson`))).mode & 0o777).toString(8), '600')
})

/** Changes rows as their owner can, looks, and puts everything back. */
async function tampered(change: () => Promise<unknown>) {
  await owner.query('create temporary table kept_events as select * from audit_events')
  await owner.query('create temporary table kept_heads as select * from audit_heads')
  try {
    await change()
    const online = await verify()
    return { online, offline: verifyExport(await exported(), undefined) }
  } finally {
    await owner.query('delete from audit_events; insert into audit_events select * from kept_events')
    await owner.query('delete from audit_heads; insert into audit_heads select * from kept_heads')
    await owner.query('drop table kept_events, kept_heads')
  }
}
async function exported(): Promise<string> {
  const response = await fetch(`${here.url}/v1/audit-events/export`, {
    headers: { authorization: `Bearer ${here.token}`, accept: 'text/event-stream' },
  })
  const text = await response.text()
  return text.slice(0, text.indexOf('event: result'))
}

/** All hashes from `first` on as they would be had it always been so. */
async function rehash(first: number) {
  const { rows } = await owner.query('select * from audit_events where org_id = $1 order by seq', [orgId])
  let previous = rows[first - 2]?.hash ?? Buffer.alloc(0)
  for (const row of rows.slice(first - 1)) {
    const { org_id: _org, previous_hash: _previous, hash: _hash, ...fields } = row
    const order = [
      'id',
      'seq',
      'at',
      'actor_kind',
      'actor_id',
      'actor_name',
      'command',
      'target',
      'door',
      'remote_address',
      'request_id',
      'result',
    ]
    const plain = { ...fields, seq: Number(row.seq), at: row.at.toISOString() }
    const record = Object.fromEntries(order.map((name) => [name, plain[name]])) as unknown as AuditRecord
    const hash = chainHash(previous, record)
    await owner.query('update audit_events set previous_hash = $3, hash = $4 where org_id = $1 and seq = $2', [
      orgId,
      row.seq,
      previous,
      hash,
    ])
    previous = hash
  }
  await owner.query('update audit_heads set hash = $2 where org_id = $1', [orgId, previous])
}
const sql = (text: string) => owner.query(text.replaceAll('$org', `'${orgId}'`))

t.test('a change, a deletion, a truncation and a rewritten chain are each found, online and offline', async (t) => {
  const cases: [string, () => Promise<unknown>, { what: string; seq: number }][] = [
    [
      'another actor',
      () => sql(`update audit_events set actor_name = 'somebody else' where org_id = $org and seq = 3`),
      { what: 'changed', seq: 3 },
    ],
    [
      'another time',
      () => sql(`update audit_events set at = at - interval '1 hour' where org_id = $org and seq = 4`),
      { what: 'changed', seq: 4 },
    ],
    [
      'one event gone',
      () => sql(`delete from audit_events where org_id = $org and seq = 5`),
      { what: 'missing', seq: 5 },
    ],
    [
      'the first gone',
      () => sql(`delete from audit_events where org_id = $org and seq = 1`),
      { what: 'missing', seq: 1 },
    ],
    [
      'the last three gone, and the head with them',
      () =>
        sql(`delete from audit_events where org_id = $org and seq > 6;
             update audit_heads set seq = 6, hash = (select hash from audit_events where org_id = $org and seq = 6) where org_id = $org`),
      { what: 'truncated', seq: 7 },
    ],
    [
      'all gone',
      () =>
        sql(
          `delete from audit_events where org_id = $org; update audit_heads set seq = 0, hash = '' where org_id = $org`,
        ),
      { what: 'truncated', seq: 1 },
    ],
    [
      'one event and its hash replaced',
      async () => {
        await sql(`update audit_events set result = 'ok', target = 'x' where org_id = $org and seq = 2`)
        await rehash(2)
        await sql(
          `update audit_events e set previous_hash = k.previous_hash, hash = k.hash from kept_events k where k.org_id = e.org_id and k.seq = e.seq and e.seq > 2`,
        )
      },
      { what: 'rewritten', seq: 3 },
    ],
    [
      'the whole chain rewritten, every hash fitting',
      async () => {
        await sql(`update audit_events set actor_name = 'nobody' where org_id = $org and seq = 2`)
        await rehash(2)
      },
      { what: 'rewritten', seq: 6 },
    ],
  ]
  for (const [name, change, problem] of cases) {
    const { online, offline } = await tampered(change)
    t.match(online, { valid: false, problems: [problem] }, `${name}: ${JSON.stringify(online.problems)}`)
    t.match(offline, { valid: false, problems: [problem] }, `${name}, offline`)
  }
  const head = await tampered(() => sql(`update audit_heads set seq = 4 where org_id = $org`))
  t.match(head.online, { valid: false, problems: [{ what: 'truncated' }] }, 'a head that lies')
  t.match(await verify(), { valid: true }, 'put back, it is whole again')
})

t.test('a chain that lost events gets no new checkpoint, and the log says so', async (t) => {
  await sql(
    `delete from audit_events where org_id = $org and seq = 9; update audit_heads set seq = 8 where org_id = $org`,
  )
  t.equal(await sign(), 0)
  t.match(told, [{ org_id: orgId, msg: /lost events/ }])
  t.match(await verify(), { problems: [{ what: 'truncated', seq: 9 }] })
})

t.test(
  'a checkpoint that somebody else signed is told from ours, and kept keys tell an export that was made up',
  async (t) => {
    const path = join(folder, `${orgId}.ndjson`)
    const kept = await readFile(path, 'utf8')
    const forged = { ...JSON.parse(kept.split('\n')[0]!), hash: '0'.repeat(64) }
    await writeFile(path, `${kept}${JSON.stringify(forged)}\nhalf a li`)
    t.match(
      (await verify()).problems.map(({ what }: { what: string }) => what),
      ['forged_checkpoint', 'truncated'],
    )
    await writeFile(path, kept)

    const keys = join(here.home, 'keys.json')
    const { body } = await here.rest('GET /.well-known/molar-audit-keys.json', undefined, { authorization: '' })
    t.match(body, { keys: [{ id: 1, public_key: /BEGIN PUBLIC KEY/ }] }, 'the public keys are for everybody')
    const others = (await import('../../src/core/audit/checkpoints.ts')).auditKeys(makeKeyring('x'.repeat(40)))
    const file = join(here.home, 'export.ndjson')
    await writeFile(file, await exported())
    const check = async (known: object) => {
      await writeFile(keys, JSON.stringify(known))
      const said = await molar(['audit', 'verify', file, '--keys', keys, '--json'], {
        PATH: process.env.PATH ?? '',
        HOME: here.home,
      })
      t.equal(said.code, 1)
      return JSON.parse(said.stdout).problems.map(({ what }: { what: string }) => what)
    }
    t.same(await check(body), ['truncated'], 'with our keys it says what was done')
    t.same(await check({ keys: others }), ['forged_checkpoint', 'forged_checkpoint'], 'with others it is not ours')
    const odd = await molar(['audit', 'verify', keys], { PATH: process.env.PATH ?? '', HOME: here.home })
    t.match(odd, { code: 2, stderr: /no export/ })
  },
)

t.test('the trail is for those who manage the org', async (t) => {
  const { body } = await here.rest('POST /v1/api-keys', { name: 'reader' })
  const headers = { authorization: `Bearer ${body.api_key}` }
  for (const path of ['audit-events', 'audit-events/verify', 'audit-events/export'])
    t.match(await here.rest(`GET /v1/${path}`, undefined, headers), { status: 403 }, path)
  await owner.end()
})
