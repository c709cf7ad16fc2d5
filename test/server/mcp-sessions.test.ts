import t from 'tap'
import { mcpHost } from '../../src/server/mcp/host.ts'
import { makeSessionServer } from '../../src/server/mcp/server.ts'
import { sessionMap } from '../../src/server/mcp/sessions.ts'
import { fixtureServices, resetNotes, slowCalls, tokens } from '../fixtures/commands.ts'
import { frames, host, initialize, legacy, until } from '../fixtures/mcp.ts'

t.test('a 2025 session belongs to the credential that opened it, answers ping, and ends by DELETE', async (t) => {
  const { app } = await host(t)
  const opened = await app.inject(legacy(initialize))
  const id = opened.headers['mcp-session-id'] as string
  t.match(frames(opened.body), [
    { result: { protocolVersion: '2025-11-25', serverInfo: { name: 'molar', version: '1.2.3' } } },
  ])
  const ask = (method: string, token: string, extra = {}) =>
    app.inject(
      legacy(
        { jsonrpc: '2.0', id: 7, method, params: {} },
        { 'mcp-session-id': id, authorization: `Bearer ${token}`, ...extra },
      ),
    )
  t.match(frames((await ask('ping', tokens.owner)).body), [{ id: 7, result: {} }])
  t.match(frames((await ask('nothing/here', tokens.owner)).body), [{ id: 7, error: { code: -32601 } }])
  t.equal((await ask('ping', tokens.owner, { 'mcp-protocol-version': '1999-01-01' })).statusCode, 400)
  for (const stranger of [tokens.reader, tokens.stranger]) {
    const refused = await ask('tools/list', stranger)
    t.equal(refused.statusCode, 404)
    t.match(refused.json(), { id: 7, error: { code: -32001 } })
    const del = {
      ...legacy(undefined, { 'mcp-session-id': id, authorization: `Bearer ${stranger}` }),
      method: 'DELETE' as const,
      payload: '',
    }
    t.equal((await app.inject(del)).statusCode, 404, 'nor can it be ended by others')
  }
  const del = { ...legacy(undefined, { 'mcp-session-id': id }), method: 'DELETE' as const, payload: '' }
  t.equal((await app.inject(del)).statusCode, 200)
  t.equal((await ask('ping', tokens.owner)).statusCode, 404)
})

t.test('sessions are capped: the one unused for longest goes, one at work stays, and all at work is 503', async (t) => {
  resetNotes()
  const { app } = await host(t, { max: 2 })
  const open = async () => (await app.inject(legacy(initialize))).headers['mcp-session-id'] as string
  const ping = async (id: string) =>
    (await app.inject(legacy({ jsonrpc: '2.0', id: 1, method: 'ping' }, { 'mcp-session-id': id }))).statusCode
  const slow = (id: string) =>
    app.inject(
      legacy(
        {
          jsonrpc: '2.0',
          id: 2,
          method: 'tools/call',
          params: { name: 'molar_slow_note', arguments: { milliseconds: 300 } },
        },
        { 'mcp-session-id': id },
      ),
    )
  const one = await open()
  const two = await open()
  const busy = slow(one)
  await until(() => slowCalls.started === 1)
  const three = await open()
  t.equal(await ping(two), 404, 'the idle one went, though the other is older')
  const busyToo = slow(three)
  await until(() => slowCalls.started === 2)
  const full = await app.inject(legacy(initialize))
  t.equal(full.statusCode, 503)
  t.ok(full.headers['retry-after'])
  t.match(
    frames((await busy).body),
    [{ method: 'notifications/progress' }, { result: { structuredContent: { waited: true } } }].slice(1),
  )
  await busyToo
  t.equal(await ping(one), 200)
})

t.test('an idle session ends; one that listens does not', async (t) => {
  const services = fixtureServices()
  const ended: string[] = []
  const sessions = sessionMap({ max: 10, maxPerOwner: 2, idle: 1000 })
  const make = (name: string) => {
    const made = makeSessionServer(
      mcpHost({ commands: [], services: async () => services, version: '1', log: services.log }),
      { list: { tools: [] }, find: () => undefined, explainMissing: () => '', reach: [] },
      () => ({}) as never,
    )
    return sessions.open(name, made).then((session) => {
      const close = session!.transport.close.bind(session!.transport)
      session!.transport.close = async () => {
        ended.push(name)
        await close()
      }
      return session!
    })
  }
  await make('idle')
  const listening = await make('listening')
  listening.streams = 1
  sessions.sweep(performance.now() + 900)
  t.same(ended, [])
  sessions.sweep(performance.now() + 1100)
  t.same(ended, ['idle'])
  await make('many')
  await make('many')
  await make('many')
  t.same(ended, ['idle', 'many'], 'one credential in a loop pushes out its own')
})
