/** Enqueue to start, and what a noisy org's 200 jobs do to another's 10. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase, openQueue, silentLog } from '../src/db/index.ts'
import { createTestDatabase, testCluster } from '../test/fixtures/database.ts'
import { quantile, spread, tell } from './row.ts'

const test = await createTestDatabase()
const database = openDatabase({ url: test.url, applicationName: 'bench', log: silentLog })
const queue = openQueue({ database, log: silentLog })

const latencies: number[] = []
await queue.work<{ sent: number }>('latency', { slots: 4 }, async ({ data }) => {
  latencies.push(performance.timeOrigin + performance.now() - data.sent)
})
const org = randomUUID()
const send = () => queue.send('latency', { sent: performance.timeOrigin + performance.now() }, { orgId: org })
for (let i = 0; i < 20; i++) await send()
await sleep(500)
latencies.length = 0
for (let i = 0; i < 200; i++) {
  await send()
  await sleep(Math.random() * 20)
}
while (latencies.length < 200) await sleep(20)
const detail = `${spread(latencies, 1)} ms`
tell({ what: 'enqueue to start, p50', value: quantile(latencies, 0.5), unit: 'ms', most: 20, detail })
tell({ what: 'enqueue to start, p95', value: quantile(latencies, 0.95), unit: 'ms', most: 100, detail })

const [noisy, small] = [randomUUID(), randomUUID()]
await Promise.all(Array.from({ length: 200 }, (_, i) => queue.send('fair', { i }, { orgId: noisy })))
await Promise.all(Array.from({ length: 10 }, (_, i) => queue.send('fair', { i }, { orgId: small })))
let smallDone = 0
let noisyDone = 0
const started = performance.now()
const finished = new Promise<void>((resolve) => {
  void queue.work('fair', { slots: 4, perOrgLimit: 3 }, async ({ orgId }) => {
    await sleep(20)
    if (orgId === noisy) noisyDone++
    else if (++smallDone === 10) {
      const took = performance.now() - started
      tell({
        what: '10 jobs of one org behind 200 of another',
        value: took,
        unit: 'ms',
        detail: `${noisyDone} of the 200 done by then`,
      })
    }
    if (noisyDone + smallDone === 210) resolve()
  })
})
await finished
tell({ what: 'all 210 jobs of 20 ms on 4 slots', value: performance.now() - started, unit: 'ms' })
await queue.stop()
await database.close()
await test.drop()
await (await testCluster()).leave()
