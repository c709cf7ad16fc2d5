import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { newId } from '../../src/core/ids.ts'
import { world } from '../fixtures/world.ts'

// A page that takes all it can get costs its own run, and no other one.

const pages: Record<string, string> = {
  '/': '<h1>Home</h1>',
  // Four gibibytes at most: a machine that does not stop it survives the test.
  '/eater': `<h1>Eater</h1><button onclick="setInterval(eat, 5)">Eat</button><script>
    const kept = []
    function eat() { if (kept.length < 64) kept.push(new Uint8Array(64 * 2 ** 20).fill(7)) }
  </script>`,
  '/opener': `<h1>Opener</h1><p id=p></p><button onclick="for (let n = 1; n <= 100; n++) window.open('/tab?' + n); p.textContent = 'opened'">Open</button>`,
  '/tab': '<h1>Tab</h1>',
}
const app = createServer((request, response) => {
  response.setHeader('content-type', 'text/html').end(pages[request.url!.split('?')[0]!] ?? '')
})
await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
t.teardown(() => {
  app.closeAllConnections()
  app.close()
})
const here = await world(t, { workers: 2 })

async function start(steps: string[]): Promise<string> {
  const id = newId()
  const lines = steps.map((line, at) => `${at + 1}. ${line}`).join('\n')
  const content = `---\nspec_version: '1.0'\nid: ${id}\nslug: s-${id}\ndescription: d\nbase_url: http://127.0.0.1:${(app.address() as AddressInfo).port}\n---\n# T\n\n## Steps\n${lines}\n`
  const { body } = await here.rest('POST /v1/runs/batch', { files: [{ content }], wait: 0 })
  return body.runs[0].id
}

async function ended(id: string) {
  for (const end = Date.now() + 90_000; Date.now() < end; await sleep(50)) {
    const { body } = await here.rest(`GET /v1/runs/${id}`)
    if (!['queued', 'running'].includes(body.status)) return body
  }
  throw new Error(`run ${id} has not ended`)
}
const run = async (steps: string[]) => ended(await start(steps))

await run(['Navigate to /']) // the browser is warm from here on

t.test(
  'a page that eats memory ends its own run, with the reason; a run beside it and the next one pass',
  async (t) => {
    const beside = await start(['Navigate to /', 'Wait 8s', 'Assert heading "Home" is visible'])
    const began = Date.now()
    const eater = await run(['Navigate to /eater', 'Click button "Eat"', 'Wait 60s'])
    t.comment(`ended after ${Date.now() - began} ms: ${eater.failure?.message}`)
    t.match(eater, { status: 'errored', failure: { kind: 'browser', message: /took more than \d+ MiB of memory/ } })
    t.ok(Date.now() - began < 50_000, `${Date.now() - began} ms`)
    t.match(await ended(beside), { status: 'passed', attempt: 1 }, 'the run beside it')
    t.equal((await run(['Navigate to /', 'Assert heading "Home" is visible'])).status, 'passed', 'the next run')
  },
)

t.test('a scenario that opens 100 tabs ends in time, and the worker stays well', async (t) => {
  const began = Date.now()
  const opener = await run([
    'Navigate to /opener',
    'Click button "Open" {timeout: 60s}',
    'Wait 2s',
    'Assert text "opened" is visible {timeout: 60s}',
  ])
  t.comment(`${opener.status} after ${Date.now() - began} ms`)
  t.match(opener, { status: 'passed', attempt: 1 }, opener.failure?.message)
  const { body } = await here.rest(`GET /v1/traces/${opener.trace_id}/events?limit=500`)
  t.equal(
    body.events.filter(({ about }: { about?: string }) => about === 'tabs').length,
    1,
    'the trace tells of it once',
  )
  t.equal((await run(['Navigate to /', 'Assert heading "Home" is visible'])).status, 'passed', 'the next run')
})
