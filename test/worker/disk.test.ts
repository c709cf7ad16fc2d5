import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { world } from '../fixtures/world.ts'

/** Mounts a disk of so many kilobytes; false where this process may not. */
function smallDisk(path: string, kilobytes: number): boolean {
  mkdirSync(path, { recursive: true })
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', path], { stdio: 'ignore' })
  } catch {
    return false
  }
  return true
}

t.test('a full disk costs a run its artifacts and is told of in the trace; the verdict stands', async (t) => {
  const app = createServer((_request, response) => response.setHeader('content-type', 'text/html').end('<h1>Full</h1>'))
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(app.address() as AddressInfo).port}`
  let disk: string | undefined
  // Teardowns run in reverse order: the disk must go before the world deletes its home.
  const { rest, home } = await world(t, { workers: 1 })
  t.teardown(() => {
    app.closeAllConnections()
    app.close()
    if (disk) execFileSync('umount', ['-l', disk])
  })
  // Three pages of memory: the pictures fill them. With more it hangs on who comes first whether what is last still fits.
  if (!smallDisk(join(home, 'blobs'), 12)) return t.plan(0, 'this process may not mount a disk')
  disk = join(home, 'blobs')
  const content = `---
spec_version: '1.0'
id: 01a20038-217c-7ebc-8e06-9e1248760666
slug: full
description: d
tags: [a]
base_url: ${origin}
---

# Full

## Steps

1. Navigate to /
2. Screenshot
3. Assert text "Full" is visible
`
  await rest('POST /v1/scenarios', { content })
  const { body: run } = await rest('POST /v1/runs/manual', { scenario_id: 'full' })
  const { body: ended } = await rest(`GET /v1/runs/${run.id}/wait?seconds=50`)
  t.equal(ended.verdict, 'passed', JSON.stringify(ended))
  const { body: events } = await rest(`GET /v1/traces/${run.trace_id}/events?limit=500`)
  const all = events.events as { seq: number; kind: string; message?: string; missing?: string[] }[]
  t.strictSame(
    all.map(({ seq }) => seq),
    all.map((_, index) => index + 1),
    'events are numbered without a gap',
  )
  t.equal(all.at(-1)?.kind, 'run.end')
  const told = all.at(-2)
  t.match(told, { kind: 'log', level: 'error', about: 'artifacts' })
  t.match(told?.message, /^Not stored: (\w+ \S+: the disk is full(; )?)+$/)
  const missing = [...told!.message!.matchAll(/\w+ (\S+): the disk is full/g)].map(([, name]) => name!)
  t.ok(missing.includes('events.ndjson'), 'of what is last there is nothing')
  const { body: trace } = await rest(`GET /v1/traces/${run.trace_id}`)
  const names = trace.artifacts.map(({ name }: { name: string }) => name)
  t.strictSame(
    missing.filter((name) => names.includes(name)),
    [],
    'the manifest names only what is stored',
  )
})
