import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { strToU8, unzipSync, zipSync } from 'fflate'
import t from 'tap'
import { exampleScenario } from '../../../src/core/scenarios/example.ts'
import { cliHere } from '../../fixtures/run-here.ts'
import { world } from '../../fixtures/world.ts'

// A CI that executes a run itself has the same run and trace as one that a worker executed.

const secret = 'plum-tree-41-orchard'
const here = await world(t, { workers: 1, environment: { MOLAR_INGEST_TIMEOUT: '2' } })
await here.rest('POST /v1/scenarios', { content: exampleScenario })

const open = async (more: Record<string, unknown> = {}) => {
  const { status, body } = await here.rest('POST /v1/runs', {
    scenario_id: 'example-home',
    executor: 'external',
    base_url: 'http://127.0.0.1:9',
    secrets: { TOKEN: secret },
    ...more,
  })
  if (status !== 201) throw new Error(JSON.stringify(body))
  return body as { id: string; trace_id: string; status: string; executor: string }
}
const ingest = (id: string, report: object, prefix = '/v1') => here.rest(`POST ${prefix}/runs/${id}/ingest`, report)
const event = (seq: number, kind: string, data: object = {}) => ({
  seq,
  ts: 1_760_000_000_000 + seq * 100,
  kind,
  ...data,
})
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const story = [
  event(1, 'run.start'),
  event(2, 'step.start', { step_id: 's_1', number: 1 }),
  event(3, 'step.end', { number: 1, status: 'passed', duration_ms: 80 }),
  event(4, 'step.start', { step_id: 's_2', number: 2 }),
  event(5, 'network.response', { step_id: 's_2', method: 'GET', url: 'http://127.0.0.1:9/api/home', status: 500 }),
  event(6, 'console.error', { step_id: 's_2', text: `Uncaught: the token ${secret} was refused` }),
  event(7, 'step.end', {
    step_id: 's_2',
    number: 2,
    status: 'failed',
    duration_ms: 900,
    message: 'No heading "Welcome"',
  }),
]
const artifact = (kind: string, name: string, bytes: Buffer) => ({
  declared: { kind, name, size: bytes.length, sha256: sha256(bytes) },
  file: { name, media_type: 'application/octet-stream', base64: bytes.toString('base64') },
})
const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')

t.test('a failed run is reported in parts, and has what a worker’s run has', async (t) => {
  const run = await open()
  t.match(run, { status: 'running', executor: 'external', attempt: 1 })
  t.match((await ingest(run.id, { events: story.slice(0, 4) })).body, {
    last_seq: 4,
    expected_seq: 5,
    status: 'running',
  })
  t.match((await here.rest(`GET /v1/runs/${run.id}`)).body, {
    steps: [{ number: 1, status: 'passed', text: 'Navigate to /', line: 12 }],
  })
  t.match((await ingest(run.id, { events: story.slice(2, 6) }, '/api/v1')).body, { last_seq: 6 }, 'a part came again')
  const changed = { ...story[4], status: 200 }
  const other = await ingest(run.id, { events: [changed, story[5], story[6]] })
  t.match(other, { status: 409, body: { details: { seq: 5, stored: { status: 500 } } } }, 'an event is what it was')
  t.match((await ingest(run.id, {})).body, { last_seq: 6 }, 'and nothing of that report was taken')
  const last = { events: story, verdict: { status: 'failed', last_seq: 7, duration_ms: 1234 } }
  const ended = await ingest(run.id, last)
  t.match(ended, { status: 200, body: { status: 'failed', last_seq: 7, expected_seq: null } })
  t.same((await ingest(run.id, last)).body, ended.body, 'the whole of it may come again')
  t.match((await ingest(run.id, { events: [event(8, 'log')] })).body, {
    error: 'conflict',
    details: { status: 'failed' },
  })
  t.match((await ingest(run.id, { events: [changed] })).body, { error: 'conflict', details: { seq: 5 } })

  const { body } = await here.rest(`GET /v1/runs/${run.id}`)
  t.match(body, {
    status: 'failed',
    duration_ms: 1234,
    failure: { kind: 'assertion', message: 'No heading "Welcome"', step: { number: 2, line: 13 } },
    failure_signature: /^assertion:[0-9a-f]{16}$/,
  })
  t.match(body.diagnosis.evidence[0], { kind: 'request_failed', seq: [5] }, 'the diagnosis cites the failed request')
  const trace = (await here.rest(`GET /v1/traces/${run.trace_id}`)).body
  t.match(trace, { status: 'failed', duration_ms: 1234 })
  t.ok(trace.total_size_bytes > 0)
  const events = (await here.rest(`GET /v1/traces/${run.trace_id}/events`)).body
  const list = (events.items ?? events.events) as { seq: number; kind: string; text?: string }[]
  t.same(
    list.map(({ seq }) => seq),
    [1, 2, 3, 4, 5, 6, 7, 8],
    'gapless, each once',
  )
  t.equal(list.at(-1)?.kind, 'run.end')
  t.notMatch(JSON.stringify(list), new RegExp(secret), 'the declared secret is nowhere in the events')
  for (const kind of ['ndjson', 'summary', 'report', 'console']) {
    const { url } = (await here.rest(`GET /v1/runs/${run.id}/artifacts/${kind}`)).body
    const text = await (await fetch(url)).text()
    t.ok(text.length > 20 && !text.includes(secret), `${kind} is there and holds no secret`)
  }
})

t.test('what is out of order is told, and nothing of it is taken', async (t) => {
  const { id } = await open()
  await ingest(id, { events: story.slice(0, 2) })
  const gap = await ingest(id, { events: story.slice(3) })
  t.match(gap, { status: 409, body: { error: 'conflict', details: { expected_seq: 3, last_seq: 2 } } })
  const disorder = await ingest(id, { events: [story[3], story[2]] })
  t.match(disorder, { status: 422, body: { details: { expected_seq: 5 } } })
  const early = await ingest(id, { events: story.slice(0, 3), verdict: { status: 'passed', last_seq: 7 } })
  t.match(early, { status: 409, body: { details: { expected_seq: 4 } } }, 'a verdict over events that are missing')
  t.match((await ingest(id, {})).body, { last_seq: 2, expected_seq: 3 }, 'an empty report asks where to go on')
  const twoFaced = await ingest(id, { events: story.slice(2), verdict: { status: 'passed' } })
  t.match(twoFaced, { status: 422, body: { message: /step 2 is reported as failed/ } })
  t.match(await ingest(id, { events: [event(3, 'run.end')] }), { status: 422, body: { message: /events\.0\.kind/ } })
  const both = await Promise.all(
    [1, 2].map(() => ingest(id, { events: story.slice(2), verdict: { status: 'failed' } })),
  )
  t.same(
    both.map(({ status }) => status),
    [200, 200],
    'two reports at once are one',
  )
  t.match((await here.rest(`POST /v1/runs/${id}/cancel`, {})).body, { error: 'conflict' })
})

t.test('artifacts that lie are named, and none of the report is kept', async (t) => {
  const { id } = await open()
  const good = artifact('screenshot', 'good.png', png)
  const send = (lie: object, file = good.file) =>
    ingest(id, { events: story.slice(0, 1), artifacts: [{ ...good.declared, ...lie }], files: [file] })
  t.match((await send({ size: 99 })).body, { error: 'validation_failed', message: /16 bytes, not the declared 99/ })
  t.match((await send({ sha256: '0'.repeat(64) })).body, { message: /SHA-256/ })
  t.match((await send({ kind: 'video' })).body, { message: /no video: a WebM or MP4/ })
  t.match((await send({}, { ...good.file, name: 'other.png' })).body, { message: /other\.png is not declared/ })
  t.match((await send({ name: '../x.png' })).body, { message: /plain file name/ })
  t.match((await ingest(id, {})).body, { last_seq: 0, artifacts: [] })
  t.match((await send({})).body, { last_seq: 1, artifacts: [{ kind: 'screenshot', name: 'good.png' }] })
})

t.test('multipart brings files as they are, and their secrets are scrubbed', async (t) => {
  const { id, trace_id } = await open()
  const zip = Buffer.from(
    zipSync({
      'trace.trace': strToU8(`${JSON.stringify({ type: 'context-options', title: secret })}\n`),
      'trace.network': strToU8(''),
    }),
  )
  const har = Buffer.from(
    JSON.stringify({
      log: { entries: [{ request: { headers: [{ name: 'Cookie', value: 'sid=1' }] } }], note: secret },
    }),
  )
  const parts = [
    artifact('trace', 'trace.zip', zip),
    artifact('har', 'net.har', har),
    artifact('screenshot', 'a.png', png),
  ]
  const form = new FormData()
  form.set('events', JSON.stringify(story.slice(0, 3)))
  form.set('artifacts', JSON.stringify(parts.map(({ declared }) => declared)))
  form.set('verdict', JSON.stringify({ status: 'passed', flaky: true }))
  for (const { file } of parts) form.append('files', new Blob([Buffer.from(file.base64, 'base64')]), file.name)
  const headers = { authorization: `Bearer ${here.token}` }
  const response = await fetch(`${here.url}/v1/runs/${id}/ingest`, { method: 'POST', headers, body: form })
  const body = (await response.json()) as any
  t.match({ status: response.status, body }, { status: 200, body: { status: 'passed', last_seq: 3 } })
  t.match((await here.rest(`GET /v1/runs/${id}`)).body, { flaky: true, failure: null, duration_ms: 200 })
  const get = async (kind: string) => {
    const { url } = (await here.rest(`GET /v1/runs/${id}/artifacts/${kind}`)).body
    return Buffer.from(await (await fetch(url)).arrayBuffer())
  }
  t.same(await get('screenshot'), png)
  const kept = (await get('har')).toString()
  t.notMatch(kept, /plum|sid=1/, 'neither the secret nor the cookie is in the HAR')
  const trace = Buffer.from(unzipSync(await get('trace'))['trace.trace']!).toString()
  t.match(trace, /\[secret:TOKEN\]/, 'the trace.zip is scrubbed and still opens')
  t.match((await here.rest(`GET /v1/traces/${trace_id}`)).body, { status: 'passed', blob_count: 6 })

  const broken = await fetch(`${here.url}/v1/runs/${id}/ingest`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'multipart/form-data; boundary=x' },
    body: '--x\r\nContent-Disposition: form-data; name="events"\r\n\r\n[',
  })
  t.equal(broken.status, 400, 'a multipart body that stops half-way')
  const elsewhere = await fetch(`${here.url}/v1/runs/${id}/cancel`, { method: 'POST', headers, body: new FormData() })
  t.equal(elsewhere.status, 415, 'multipart where no files are taken')
})

t.test('the CLI reports with the files’ paths', async (t) => {
  const { id } = await open()
  const { writeFile } = await import('node:fs/promises')
  const path = `${here.home}/cli.png`
  await writeFile(path, png)
  const { declared } = artifact('screenshot', 'cli.png', png)
  const { code, stdout, stderr } = await cliHere(here, [
    ...['runs', 'ingest', id, '--json', '--files', path, '--artifacts', JSON.stringify(declared)],
    ...['--events', JSON.stringify(story.slice(0, 3)), '--verdict', '{"status":"passed"}'],
  ])
  t.equal(code, 0, stderr)
  t.match(JSON.parse(stdout), { status: 'passed', last_seq: 3 })
})

t.test('a run that nobody reports any more ends errored, one that goes on does not', async (t) => {
  const [silent, slow] = [await open(), await open()]
  await ingest(silent.id, { events: story.slice(0, 3) })
  for (let seq = 1; seq <= 4; seq++) {
    await ingest(slow.id, { events: [story[seq - 1]] })
    await sleep(800)
  }
  t.match((await here.rest(`GET /v1/runs/${slow.id}`)).body, { status: 'running' }, 'slow is not silent')
  const { body } = await here.rest(`GET /v1/runs/${silent.id}/wait?seconds=10`)
  t.match(body.runs?.[0] ?? body, { status: 'errored', failure: { kind: 'environment', message: /Nothing was heard/ } })
  t.match((await here.rest(`GET /v1/runs/${silent.id}`)).body, { steps: [{ number: 1 }] }, 'its steps are kept')
  t.match((await ingest(silent.id, { events: story.slice(0, 5) })).body, { error: 'conflict' }, 'it takes no more')
})

t.test('a cancelled run takes no verdict', async (t) => {
  const { id } = await open()
  t.match((await here.rest(`POST /v1/runs/${id}/cancel`, {})).body, { status: 'aborted' })
  t.match(await ingest(id, { verdict: { status: 'passed' } }), { status: 409 })
})
