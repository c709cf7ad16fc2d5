import { randomUUID } from 'node:crypto'
import { utimes } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import { fileBlobs, insertArtifacts, insertBlob, sumArtifacts } from '../../../src/core/blobs/index.ts'
import { collectGarbage } from '../../../src/core/garbage/index.ts'
import { newId, randomBase62 } from '../../../src/core/ids.ts'
import { runStore } from '../../../src/core/runs/index.ts'
import { openDatabase, silentLog } from '../../../src/db/index.ts'
import { cliHere } from '../../fixtures/run-here.ts'
import { world } from '../../fixtures/world.ts'

const scenario = `---
spec_version: '1.0'
id: 01a20038-217c-7ebc-8e06-9e1248760888
slug: kept
description: d
tags: [a]
base_url: http://127.0.0.1:9
---

# Kept

## Steps

1. Navigate to /
`

/** An org with means to leave traces of any age. */
async function org(t: Test) {
  const it = await world(t)
  const { body: stored } = await it.rest('POST /v1/scenarios', { content: scenario })
  const { body: me } = await it.rest('GET /v1/me')
  const orgId: string = me.org.id
  const database = openDatabase({ url: it.config.databaseUrl!, applicationName: 'test:garbage', log: silentLog })
  t.teardown(() => database.close())
  const db = database.tenant(orgId)
  const blobs = fileBlobs(join(it.home, 'blobs'))
  const owner = new pg.Client({ connectionString: it.config.migrationUrl })
  await owner.connect()
  t.teardown(() => owner.end())

  /** Makes what is stored, and said to be, older. */
  async function age(sha256: string, days: number): Promise<void> {
    const then = new Date(Date.now() - days * 86_400_000)
    await utimes(join(it.home, 'blobs', orgId, sha256.slice(0, 2), sha256), then, then)
    await db.query('update blobs set created_at = $2 where sha256 = $1', [sha256, then])
  }

  async function trace(days: number, bytes: Buffer, { pinned = false, status = 'passed' } = {}) {
    const [id, traceId] = [newId(), newId()]
    const sha256 = await blobs.put(orgId, bytes)
    await db.tx(async (tx) => {
      const run = {
        id,
        orgId,
        traceId,
        shortId: `t_${randomBase62(7)}`,
        scenarioId: stored.id,
        scenarioVersion: 1,
        slug: 'kept',
      }
      const facts = {
        title: 'Kept',
        type: 'manual',
        region: 'local',
        baseUrl: 'http://127.0.0.1:9',
        repo: null,
        commitSha: null,
      }
      const rest = {
        prNumber: null,
        variables: {},
        secrets: null,
        dataRow: null,
        retries: 0,
        stepCount: 1,
        rerunOf: null,
      }
      await runStore.insertRun(tx, { ...run, ...facts, ...rest, createdBy: me.principal?.id ?? randomUUID() })
      const artifact = {
        kind: 'trace' as const,
        name: 'trace.zip',
        sha256,
        media_type: 'application/zip',
        size: bytes.length,
      }
      await insertArtifacts(tx, orgId, traceId, [{ ...artifact, step_id: null }])
      await sumArtifacts(tx, traceId)
      const created = new Date(Date.now() - days * 86_400_000)
      await tx.query('update traces set created_at = $2, pinned = $3, status = $4 where id = $1', [
        traceId,
        created,
        pinned,
        status,
      ])
    })
    await age(sha256, days)
    return { traceId, sha256 }
  }
  const isThere = async (sha256: string) => (await blobs.size(orgId, sha256)) !== undefined
  const artifacts = async (traceId: string) =>
    (await db.query('select 1 from trace_artifacts where trace_id = $1', [traceId])).length
  return { ...it, orgId, database, db, blobs, trace, age, isThere, artifacts }
}

t.test(
  'after its days a trace loses its artifacts and keeps its verdict; pinned, open and younger ones lose nothing',
  async (t) => {
    const { database, blobs, trace, isThere, artifacts, rest, db } = await org(t)
    const old = await trace(40, Buffer.from('old'))
    const shared = await trace(41, Buffer.from('shared'))
    const young = await trace(2, Buffer.from('shared'))
    const pinned = await trace(50, Buffer.from('pinned'), { pinned: true })
    const open = await trace(60, Buffer.from('open'), { status: 'running' })
    const collected = await collectGarbage(database, blobs, { retentionDays: 30 })
    t.match(collected, { traces: 2, blobs: 1, bytes: 3, over_quota: [] })
    t.equal(await isThere(old.sha256), false, 'its bytes are gone')
    t.equal(await artifacts(old.traceId), 0)
    t.equal(await isThere(shared.sha256), true, 'bytes that a younger trace has too stay')
    for (const kept of [young, pinned, open]) {
      t.equal(await artifacts(kept.traceId), 1)
      t.equal(await isThere(kept.sha256), true)
    }
    t.match((await rest(`GET /v1/traces/${old.traceId}`)).body, { status: 'passed', tier: 'cold', artifacts: [] })
    t.equal((await db.query('select 1 from blobs where sha256 = $1', [old.sha256])).length, 0)
    t.match(
      await collectGarbage(database, blobs, { retentionDays: 30 }),
      { traces: 0, blobs: 0 },
      'again finds nothing',
    )
  },
)

t.test('over its quota an org loses its oldest traces’ artifacts, and is named when that does not do', async (t) => {
  const { database, blobs, trace, isThere, orgId, rest } = await org(t)
  const traces = []
  for (let days = 9; days >= 1; days--) traces.push(await trace(days, Buffer.alloc(1000, days)))
  const pinned = await trace(20, Buffer.alloc(1500, 99), { pinned: true })
  t.match((await rest(`POST /v1/traces/${pinned.traceId}/pin`)).body, { pinned: true })
  const failed = await trace(30, Buffer.alloc(900, 88), { pinned: true, status: 'failed' })
  const freed = await trace(31, Buffer.alloc(100, 77), { pinned: true })
  t.match((await rest(`POST /v1/traces/${freed.traceId}/unpin`)).body, { pinned: false })
  t.match(await collectGarbage(database, blobs, { quotaBytes: 6900 }), {
    traces: 6,
    blobs: 6,
    bytes: 5100,
    over_quota: [],
  })
  const left = await Promise.all(traces.map(({ sha256 }) => isThere(sha256)))
  t.strictSame(left, [false, false, false, false, false, true, true, true, true], 'the oldest went')
  t.match(await collectGarbage(database, blobs, { quotaBytes: 1000 }), { traces: 5, over_quota: [orgId] })
  t.equal(await isThere(failed.sha256), false, 'what is pinned because it failed goes last, but goes')
  t.equal(await isThere(pinned.sha256), true, 'what is pinned stays though it is too much')
})

t.test('bytes that nothing names go after an hour’s grace, those the database never heard of too', async (t) => {
  const { database, blobs, db, orgId, age, isThere } = await org(t)
  const put = async (text: string, days: number, known: boolean) => {
    const sha256 = await blobs.put(orgId, Buffer.from(text))
    if (known) await insertBlob(db, orgId, { sha256, size: text.length, media_type: 'text/plain' })
    await age(sha256, days)
    return sha256
  }
  const stale = await put('stale', 1, true)
  const unheard = await put('unheard of', 1, false)
  const fresh = await put('fresh', 0.01, true)
  const again = await put('stored again', 1, true)
  await blobs.put(orgId, Buffer.from('stored again')) // somebody stores it anew, just now, and will name it
  await db.query(
    `insert into idempotency_keys (org_id, id, input_hash, nonce, claimed_until, expires_at)
     values ($1, 'spent', 'h', $2, now(), now() - interval '1 s'), ($1, 'live', 'h', $2, now(), now() + interval '1 h')`,
    [orgId, randomUUID()],
  )
  t.match(await collectGarbage(database, blobs, {}), { traces: 0, blobs: 2, idempotency_keys: 1 })
  t.strictSame(await Promise.all([stale, unheard, fresh, again].map(isThere)), [false, false, true, true])
  const keys = await db.query<{ id: string }>(`select id from idempotency_keys where id in ('spent', 'live')`)
  t.strictSame(
    keys.map(({ id }) => id),
    ['live'],
  )
})

t.test('molar db gc does it from the command line, by the environment’s rules', async (t) => {
  const it = await org(t)
  const { trace, isThere, config, home } = it
  const old = await trace(40, Buffer.from('old'))
  const environment = { DATABASE_URL: config.databaseUrl!, MOLAR_MIGRATION_URL: config.migrationUrl!, MOLAR_HOME: home }
  const { code, stdout, stderr } = await cliHere(it, ['db', 'gc', '--json'], {
    ...environment,
    MOLAR_RETENTION_DAYS: '30',
  })
  t.equal(code, 0, stderr)
  t.match(JSON.parse(stdout), { traces: 1, blobs: 1, bytes: 3, idempotency_keys: Number, over_quota: [] })
  t.equal(await isThere(old.sha256), false)
  t.equal((await cliHere(it, ['db', 'gc'], { ...environment, MOLAR_RETENTION_DAYS: 'soon' })).code, 2)
})
