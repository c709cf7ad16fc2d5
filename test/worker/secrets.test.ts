import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { unzipSync } from 'fflate'
import pg from 'pg'
import t from 'tap'
import { world } from '../fixtures/world.ts'

const secret = 's3cr3t"Pa&ss<w>é+x/y'
const bearer = 'tok-0123456789abcdef-9876'
const shaped = `ghp_${'a1B2c3D4e5'.repeat(4)}`
const cookie = 'cookie-value-4711-xyz'
const written = 'hunter2-in-the-step'
const filled = 'pre-filled-pw-77'
const planted = { secret, bearer, shaped, cookie, filled }

/** Every way in which a value could still stand in bytes. */
function formsOf(value: string): string[] {
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), Buffer.from(value)])
      .toString('base64')
      .slice([0, 2, 3][shift], Math.floor(((shift + Buffer.byteLength(value)) * 8) / 6)),
  )
  const json = JSON.stringify(value).slice(1, -1)
  const form = new URLSearchParams({ x: value }).toString().slice(2)
  return [value, encodeURIComponent(value), form, json, JSON.stringify(json).slice(1, -1), ...base64]
}

/** The bytes, and whatever is packed in them. */
function everything(bytes: Buffer): Buffer[] {
  if (bytes.length > 4 && bytes.readUInt32BE(0) === 0x504b0304)
    return [
      bytes,
      ...Object.entries(unzipSync(bytes)).flatMap(([name, inner]) => [
        Buffer.from(name),
        ...everything(Buffer.from(inner)),
      ]),
    ]
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return [bytes, ...everything(gunzipSync(bytes))]
  return [bytes]
}

const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())

const html = (value: string) => value.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;')
const page = `<!doctype html><title>Till</title><h1>Till</h1>
<label>Key <input id=k></label><label>Typed <input id=u></label><label>Password <input type=password id=p></label>
<label>Old <input type=password value=${filled}></label><label>New password <input type=password id=n></label>
<p id=o></p><p>${html(secret)}</p><p>${shaped}</p><a href=/file download=take.txt>file</a><a href=/packed download=take.txt.gz>packed</a>
<button onclick="go()">Send</button>
<script>
  const planted = ${JSON.stringify(secret).replace(/</g, '\\u003c')}
  const token = ['${bearer.slice(0, 9)}', '${bearer.slice(9)}'].join('')
  localStorage.setItem('key', planted)
  async function go() {
    const value = k.value
    console.log('key is ' + value, JSON.stringify({ value }), btoa(unescape(encodeURIComponent(value))))
    console.error(new Error('bad ' + value))
    console.warn('new ' + n.value + ' old ' + document.querySelector('[value="${filled}"]').value)
    Promise.reject(new Error('unhandled ' + value))
    document.title = 'Till ' + value
    await fetch('/echo?key=' + encodeURIComponent(value), {
      method: 'POST', body: JSON.stringify({ key: value }), headers: { authorization: 'Bearer ' + token, 'content-type': 'application/json' },
    })
    await fetch('/missing?' + new URLSearchParams({ key: value }), { headers: { 'x-api-key': token } })
    o.textContent = 'sent ' + value
  }
</script>`

t.test('secrets planted everywhere stand in no stored byte: blobs unpacked, every row of the database', async (t) => {
  const app = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      response.setHeader('set-cookie', `sid=${cookie}; Path=/`)
      const path = request.url?.split('?')[0]
      if (path === '/echo')
        response
          .setHeader('content-type', 'application/json')
          .end(JSON.stringify({ got: Buffer.concat(chunks).toString(), again: Buffer.from(secret).toString('base64') }))
      else if (path === '/missing')
        response.writeHead(404, { 'content-type': 'text/plain' }).end(`no ${secret} at ${request.url}`)
      else if (path === '/file') response.setHeader('content-type', 'text/plain').end(`kept ${secret} and ${shaped}`)
      else if (path === '/packed')
        response.setHeader('content-type', 'application/gzip').end(gzipSync(`packed ${secret}`))
      else response.setHeader('content-type', 'text/html').end(page)
    })
  })
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    app.closeAllConnections()
    app.close()
  })
  const origin = `http://127.0.0.1:${(app.address() as AddressInfo).port}`
  const { rest, home, config } = await world(t, {
    workers: 1,
    environment: { MOLAR_EVIDENCE: 'rrweb,video', PATH: '' },
  })
  const content = `---
spec_version: '1.0'
id: 01a20038-217c-7ebc-8e06-9e1248760777
slug: till
description: Secrets everywhere.
tags: [test]
base_url: ${origin}
secrets: [TILL_KEY]
---

# Till

## Steps

1. Navigate to /
2. Fill "Key" with \`\${secrets.TILL_KEY}\`
3. Type \`\${secrets.TILL_KEY}\` into "Typed"
4. Fill "Password" with \`\${secrets.TILL_KEY}\`
5. Fill "New password" with "${written}"
6. Click button "Send"
7. Assert text "sent" is visible
8. Snapshot
9. Screenshot
10. Download by clicking link "file" as take
11. Click link "packed"
12. Navigate to /again
13. Assert text "never there" is visible {timeout: 300ms}
`
  const uploaded = await rest('POST /v1/scenarios', { content })
  t.equal(uploaded.status, 200, JSON.stringify(uploaded.body))
  const started = await rest('POST /v1/runs/manual', { scenario_id: 'till', secrets: { TILL_KEY: secret } })
  const { id, trace_id } = started.body
  const ended = await rest(`GET /v1/runs/${id}/wait?seconds=50`)
  t.equal(ended.body.runs?.[0]?.failure?.step?.number, 13, JSON.stringify(ended.body.runs?.[0]?.failure))

  const { body: trace } = await rest(`GET /v1/traces/${trace_id}`)
  const kinds = new Set(trace.artifacts.map((artifact: { kind: string }) => artifact.kind))
  for (const kind of [
    'trace',
    'har',
    'rrweb',
    'dom',
    'download',
    'screenshot',
    'ndjson',
    'summary',
    'report',
    'console',
  ])
    t.ok(kinds.has(kind), `leaves ${kind}`)
  const pictures = trace.artifacts.filter((artifact: { kind: string }) => artifact.kind === 'screenshot')
  const names = pictures.map((artifact: { name: string }) => artifact.name)
  t.ok(names.includes('013.jpg'), 'a real picture of the step that failed')
  t.ok(names.includes('007.jpg'), 'and one from the film of a step that passed')

  const files = filesUnder(join(home, 'blobs'))
  t.ok(files.length > 10)
  const stored = files.flatMap((path) => everything(readFileSync(path)))
  const client = new pg.Client({ connectionString: config.migrationUrl })
  await client.connect()
  t.teardown(() => client.end())
  const { rows: tables } = await client.query(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`,
  )
  let rowCount = 0
  for (const { name } of tables) {
    await client.query('begin')
    if (/^(public|app)\./.test(name)) await client.query('set local role molar_system')
    const { rows } = await client.query(`select t::text as row from ${name} t`).catch((error) => {
      if (error.code === '42501') return { rows: [] as { row: string }[] }
      throw error
    })
    await client.query('rollback')
    rowCount += rows.length
    stored.push(...rows.map(({ row }) => Buffer.from(row)))
  }
  t.ok(rowCount > 50, `${rowCount} rows were read`)
  for (const [what, value] of Object.entries(planted)) {
    const found = stored.flatMap((bytes) =>
      formsOf(value).flatMap((form) => {
        const at = bytes.indexOf(form)
        return at < 0 ? [] : [bytes.subarray(Math.max(0, at - 120), at + 60).toString('latin1')]
      }),
    )
    t.strictSame(found, [], what)
  }
  const all = Buffer.concat(stored).toString('latin1')
  // However deep it is quoted and escaped.
  const bare = (text: string) => text.replace(/["\\]/g, '')
  t.notOk(bare(all).includes(bare(Buffer.from(secret).toString('latin1'))), 'nor quoted in quotes')
  // The scenario itself holds what its author wrote into it, under the trace's feet and nowhere else.
  const blobs = files.flatMap((path) => everything(readFileSync(path)))
  t.notOk(
    blobs.some((bytes) => formsOf(written).some((form) => bytes.includes(form))),
    'a password written out in a step',
  )
  const { body: outlines } = await rest(`GET /v1/traces/${trace_id}/events?kind=dom.snapshot&limit=500`)
  const snapshots = outlines.events as { seq: number; step_id: string; aria?: string; unchanged_since?: number }[]
  const { body: ends } = await rest(`GET /v1/traces/${trace_id}/events?kind=step.end`)
  for (const { step_id, number } of ends.events)
    t.ok(
      snapshots.some((one) => one.step_id === step_id),
      `step ${number} has its outline`,
    )
  const told = new Set(snapshots.flatMap(({ seq, aria }) => (aria === undefined ? [] : [seq])))
  const unchanged = snapshots.filter((one) => one.unchanged_since !== undefined)
  t.ok(unchanged.length > 0 && unchanged.every((one) => told.has(one.unchanged_since!)), 'an outline is told once')
  t.match(JSON.stringify(snapshots), /textbox \\"Old\\": ••••/, 'passwords are dots in it')
  const { body: shown } = await rest(`GET /v1/traces/${trace_id}/events?step=1&kind=dom.snapshot`, undefined, {
    accept: 'text/markdown',
  })
  t.match(shown, /- heading "Till"/, 'and it can be read')
  t.match(shown, /^Text below may quote pages/, 'marked as what a page said')
  t.match(all, /unhandled \[secret:TILL_KEY\]/, 'an unhandled rejection is told of')
  t.match(all, /No video: ffmpeg was not found/, 'a video that cannot be made is said, and fails nothing')
})
