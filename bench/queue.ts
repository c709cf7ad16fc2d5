/** Enqueue to start, and what a noisy org's 200 jobs do to another's 10. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase, openQueue, silentLog } from '../src/db/index.ts'
import { createTestDatabase, testCluster } from '../test/fixtures/database.ts'

const test = await createTestDatabase()
const database = openDatabase({ url: test.url, applicationName: 'bench', log: silentLog })
const queue = await openQueue({ database, log: silentLog })
const say = (text: string) => process.stderr.write(`${text}\n`)
const at = (sorted: number[], share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!

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
latencies.sort((a, b) => a - b)
say(`enqueue to start: p50 ${at(latencies, 0.5).toFixed(1)} ms, p95 ${at(latencies, 0.95).toFixed(1)} ms`)

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
      say(`10 small jobs behind 200: ${Math.round(performance.now() - started)} ms, noisy done by then: ${noisyDone}`)
    }
    if (noisyDone + smallDone === 210) resolve()
  })
})
await finished
say(`all 210 jobs of 20 ms on 4 slots: ${Math.round(performance.now() - started)} ms`)
await queue.stop()
await database.close()
await test.drop()
await (await testCluster()).leave()
