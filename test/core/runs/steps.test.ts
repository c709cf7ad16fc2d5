import t from 'tap'
import { newId } from '../../../src/core/ids.ts'
import { leaseStore, type RunEvent } from '../../../src/core/runs/index.ts'
import { openDatabase, silentLog } from '../../../src/db/index.ts'
import { world } from '../../fixtures/world.ts'

const content = `---
spec_version: '1.0'
id: 01a20032-35db-77c1-87d7-2a714c720962
slug: steps
description: Two steps.
base_url: http://127.0.0.1:9
---

## Steps

1. Navigate to /
2. Assert url is "/"
`

const ended = (number: number): RunEvent =>
  ({
    ...{ seq: number, ts: 1_760_000_000_000, kind: 'step.end', step_id: `s_${number}`, attempt: 1, number, line: 10 },
    ...{ section: 'steps', text: 'Navigate to /', status: 'passed', duration_ms: 1 },
  }) as RunEvent

t.test('steps are there to read as soon as their end is written, and once, however often that is tried', async (t) => {
  const here = await world(t)
  const { body } = await here.rest('POST /v1/runs/batch', { files: [{ content }], wait: 0 })
  const [{ id }] = body.runs
  const { body: me } = await here.rest('GET /v1/me')
  const database = openDatabase({ url: here.config.databaseUrl!, applicationName: 'test:steps', log: silentLog })
  t.teardown(() => database.close())
  const run = { id, orgId: me.org.id, lease: newId() }
  const write = (...events: RunEvent[]) =>
    database.tenant(run.orgId).tx((tx) => leaseStore.insertEvents(tx, run, events))
  const numbers = async () =>
    (await here.rest(`GET /v1/runs/${id}`)).body.steps.map(({ number }: { number: number }) => number)
  await database.tenant(run.orgId).tx((tx) => leaseStore.claimRun(tx, id, run.lease))
  t.same(await numbers(), [])
  t.ok(await write(ended(1)))
  t.same(await numbers(), [1])
  t.ok(await write(ended(1)), 'a commit that was not heard of')
  t.ok(await write(ended(1), ended(2)))
  t.same(await numbers(), [1, 2])
  t.notOk(
    await database.tenant(run.orgId).tx((tx) => leaseStore.insertEvents(tx, { ...run, lease: newId() }, [ended(3)])),
  )
  t.same(await numbers(), [1, 2], 'a worker that has lost the run adds none')
})
