import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { request } from 'undici'
import { z } from 'zod'
import { defineCommand } from '../../src/core/command.ts'
import { fail } from '../../src/core/errors.ts'
import { noteId, resetNotes, slowCalls, tokens } from '../fixtures/commands.ts'
import { auth, fixtureApp } from './fixture.ts'

const seen = { flood: 0, ended: '' }
const access = { scope: 'mcp:read' } as const
const event = z.object({ seq: z.int(), pad: z.string().optional() })

/** Counts from `after` on, and fails or floods where asked. */
const count = defineCommand({
  name: 'count.up',
  tool: 'molar_count_up',
  title: 'Count',
  summary: 'Count.',
  input: z.object({
    to: z.int().default(3),
    after: z.int().default(0),
    pause: z.int().default(0),
    fail_at: z.int().optional(),
  }),
  output: z.object({ counted: z.int() }),
  events: event,
  rest: ['GET /v1/count', { route: 'GET /v1/count/stream', stream: true }],
  access,
  effect: 'read',
  errors: ['conflict'],
  examples: [],
  async handler({ to, after, pause, fail_at }, { signal }, emit) {
    for (let seq = after + 1; seq <= to; seq++) {
      if (seq === fail_at) fail('conflict', 'Told to fail.')
      await emit({ seq })
      if (pause > 0) await wait(pause, undefined, { signal }).catch(() => fail('cancelled', 'Stopped.'))
    }
    return { counted: to - after }
  },
})

const flood = defineCommand({
  name: 'count.flood',
  tool: 'molar_count_flood',
  title: 'Flood',
  summary: 'Write as fast as the reader reads.',
  input: z.object({ hurry: z.boolean().default(false) }),
  output: z.object({}),
  events: event,
  rest: 'GET /v1/flood',
  access,
  effect: 'read',
  errors: [],
  examples: [],
  async handler({ hurry }, _context, emit) {
    seen.flood = 0
    seen.ended = ''
    const pad = 'x'.repeat(64 * 1024)
    try {
      for (let seq = 1; seq <= 100_000; seq++) {
        const sent = emit({ seq, pad })
        if (!hurry) await sent
        else
          sent?.catch((error) => {
            seen.ended = error.code
          })
        if (seen.ended !== '') break
        seen.flood = seq
        if (hurry && seq % 50 === 0) await wait(0)
      }
    } catch (error) {
      seen.ended = (error as { code: string }).code
    }
    return {}
  },
})

const silence = defineCommand({
  name: 'count.silence',
  tool: 'molar_count_silence',
  title: 'Silence',
  summary: 'Emit nothing until the reader goes.',
  input: z.object({}),
  output: z.object({}),
  events: event,
  rest: 'GET /v1/silence',
  access,
  effect: 'read',
  errors: [],
  examples: [],
  async handler(_input, { signal }) {
    await wait(60_000, undefined, { signal }).catch(() => fail('cancelled', 'Stopped.'))
    return {}
  },
})

const limits = { heartbeat: 100, stall: 400, buffer: 1 << 20, commit: 50 }
const { app } = await fixtureApp({ streams: limits, drain: 500 }, [count, flood])
const url = await app.listen({ port: 0, host: '127.0.0.1' })
t.teardown(() => app.close())
t.beforeEach(() => resetNotes())

const events = { ...auth, accept: 'text/event-stream' }

interface Message {
  id?: string
  event?: string
  data?: unknown
}

/** The blocks of a stream: fields, and comments under their own name. */
function parse(text: string): Message[] {
  const blocks = text.split('\n\n').filter((block) => block !== '' && !block.startsWith(':'))
  return blocks.map((block) => {
    const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)))
    return { ...fields, data: JSON.parse(fields.data) }
  })
}

async function read(path: string, headers: Record<string, string> = events) {
  const response = await request(url + path, { headers })
  const text = await response.body.text()
  return { status: response.statusCode, headers: response.headers, text }
}

async function until(what: () => boolean, patience = 3000) {
  const end = Date.now() + patience
  while (!what() && Date.now() < end) await wait(10)
  return what()
}

t.test('events carry ids, and the answer comes last as `result`', async (t) => {
  const { status, headers, text } = await read('/v1/count')
  t.equal(status, 200)
  t.equal(headers['content-type'], 'text/event-stream')
  t.ok(headers['x-request-id'])
  t.equal(headers['x-content-type-options'], 'nosniff')
  t.strictSame(parse(text), [
    { id: '1', data: { seq: 1 } },
    { id: '2', data: { seq: 2 } },
    { id: '3', data: { seq: 3 } },
    { event: 'result', data: { counted: 3 } },
  ])
})

t.test(
  'without the Accept header the same route answers plain JSON; a streaming route streams unless JSON is asked for',
  async (t) => {
    t.strictSame(JSON.parse((await read('/v1/count', auth)).text), { counted: 3 })
    t.match((await read(`/v1/notes/${noteId}/events`, auth)).headers, { 'content-type': 'text/event-stream' })
    t.strictSame(JSON.parse((await read('/v1/count/stream', { ...auth, accept: 'application/json' })).text), {
      counted: 3,
    })
  },
)

t.test('Last-Event-ID goes on behind what was read, also against the address of the first try', async (t) => {
  const { text } = await read('/v1/count?to=5&after=1', { ...events, 'last-event-id': '3' })
  t.strictSame(
    parse(text).map(({ id }) => id),
    ['4', '5', undefined],
  )
})

t.test('a failure before the first event has its own status, one after it is an `error` event', async (t) => {
  t.equal((await read(`/v1/notes/019301c0-cafe-7000-bea7-0000000000ff/events`)).status, 404)
  t.equal((await read('/v1/count', { accept: 'text/event-stream' })).status, 401)
  t.equal((await read('/v1/count?to=none')).status, 422)
  const { text } = await read('/v1/count?fail_at=2')
  t.strictSame(parse(text).at(-1), { event: 'error', data: { error: 'conflict', message: 'Told to fail.' } })
})

t.test('a quiet stream begins before its first event or heartbeat', async (t) => {
  const { app } = await fixtureApp({ streams: { commit: 50, heartbeat: 600_000 } }, [silence])
  t.teardown(() => app.close())
  const response = await request(`${await app.listen({ port: 0, host: '127.0.0.1' })}/v1/silence`, {
    headers: events,
    headersTimeout: 20_000,
  })
  t.equal(response.headers['content-type'], 'text/event-stream')
  response.body.on('error', () => {}).destroy()
})

t.test('a quiet stream has heartbeats', async (t) => {
  const { text } = await read('/v1/count?to=1&pause=450')
  t.ok((text.match(/^: heartbeat$/gm)?.length ?? 0) >= 2, text)
})

t.test('a reader that goes away aborts the call, streaming or not', async (t) => {
  for (const accept of ['text/event-stream', 'application/json']) {
    resetNotes()
    const gone = new AbortController()
    const headers = { ...auth, accept, 'content-type': 'application/json' }
    const asked = request(`${url}/v1/notes/slow`, {
      method: 'POST',
      headers,
      body: '{"milliseconds":20000}',
      signal: gone.signal,
    })
    asked.then(({ body }) => body.text()).catch(() => {})
    t.ok(await until(() => slowCalls.started === 1))
    gone.abort()
    t.ok(await until(() => slowCalls.aborted === 1), accept)
  }
})

/** Sends a request and never reads what comes back. */
function deaf(path: string) {
  seen.ended = ''
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.pause()
  socket.on('error', () => {})
  socket.write(
    `GET ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${tokens.owner}\r\naccept: text/event-stream\r\n\r\n`,
  )
  return socket
}

t.test('a reader that never reads holds the writer back, and is cut', async (t) => {
  const before = process.memoryUsage().rss
  const socket = deaf('/v1/flood')
  t.teardown(() => socket.destroy())
  t.ok(await until(() => seen.ended !== '', 5000), 'the command was told')
  t.equal(seen.ended, 'cancelled')
  t.ok(seen.flood < 500, `${seen.flood} of 100000 events were written`)
  t.ok(process.memoryUsage().rss - before < 100e6)
})

t.test('a command that does not wait for its reader is cut at the buffer’s bound', async (t) => {
  const socket = deaf('/v1/flood?hurry=true')
  t.teardown(() => socket.destroy())
  t.ok(await until(() => seen.ended !== '', 5000))
  t.equal(seen.ended, 'cancelled')
})

t.test('open streams are counted', async (t) => {
  const counted = async (open: number) => {
    const line = new RegExp(`^molar_open_streams ${open}$`, 'm')
    for (let tries = 0; tries < 100; tries++) {
      if (line.test((await read('/metrics')).text)) return true
      await wait(20)
    }
    return false
  }
  t.ok(await counted(0))
  const running = read('/v1/count?to=1&pause=1000')
  t.ok(await counted(1))
  await running
  t.ok(await counted(0))
})

t.test('a stop ends streams with a reason, finishes what is under way, and cuts what takes too long', async (t) => {
  const { app, services } = await fixtureApp({ streams: limits, drain: 500 }, [count])
  const base = await app.listen({ port: 0, host: '127.0.0.1' })
  const stream = request(`${base}/v1/count?to=100&pause=100`, { headers: events }).then(({ body }) => body.text())
  const slow = (milliseconds: number) =>
    request(`${base}/v1/notes/slow`, {
      method: 'POST',
      headers: { ...auth, 'content-type': 'application/json' },
      body: JSON.stringify({ milliseconds }),
    }).then(
      ({ body }) => body.json(),
      (error: Error) => error.message,
    )
  const quick = slow(300)
  const long = slow(30_000)
  await until(() => slowCalls.started === 2)
  await wait(100)
  const started = Date.now()
  const closed = app.close()
  t.match(parse(await stream).at(-1), {
    event: 'error',
    data: { error: 'unavailable', details: { retry_after_seconds: 1 } },
  })
  t.ok(Date.now() - started < 300, 'streams end at once')
  t.strictSame(await quick, { waited: true })
  t.type(await long, 'string', 'the long one lost its connection')
  await closed
  t.ok(Date.now() - started < 2500, `stopped after ${Date.now() - started} ms`)
  const aborted = () =>
    services.observed.some(({ command, result }) => command === 'notes.slow' && result === 'cancelled')
  t.ok(await until(aborted), 'and its call was aborted')
})
