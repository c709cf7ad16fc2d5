import { once } from 'node:events'
import { createConnection } from 'node:net'
import type { StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { noteId, noteNews, otherNoteId, resetNotes, tokens } from '../fixtures/commands.ts'
import { connect, hear, host, initialize, legacy, modern, until } from '../fixtures/mcp.ts'

const uri = `molar://notes/${noteId}`
const other = `molar://notes/${otherNoteId}`
const absent = 'molar://notes/019301c0-cafe-7000-bea7-0000000000ff'

t.test('a modern client hears of what it listens to, is told what is honoured, and stops', async (t) => {
  resetNotes()
  const { url } = await host(t)
  const client = await connect(t, url, 'modern')
  const heard = hear(client)
  const stream = await client.listen({ resourceSubscriptions: [uri, absent, 'molar://notes'] })
  t.same(stream.honoredFilter.resourceSubscriptions, [uri], 'what is absent or tells no changes is left out')
  noteNews.emit(noteId)
  noteNews.emit(otherNoteId)
  noteNews.emit(noteId)
  await until(() => heard.length === 2)
  t.same(heard, [uri, uri])
  const second = await client.listen({ resourceSubscriptions: [other] })
  noteNews.emit(otherNoteId)
  await until(() => heard.length === 3)
  t.equal(heard[2], other)
  await stream.close()
  await until(() => noteNews.listenerCount(noteId) === 0)
  t.equal(noteNews.listenerCount(noteId), 0, 'nothing goes on here for a stream that was closed')
  await second.close()
  await t.rejects(client.listen({ resourceSubscriptions: [absent] }), { code: -32602, message: /There is no note/ })
  await t.rejects(client.listen({ resourceSubscriptions: ['molar://notes'] }), {
    code: -32602,
    message: /tells no changes. Those that do: molar:\/\/notes\/\{note_id\}/,
  })
  const many = Array.from({ length: 150 }, () => client.listen({ resourceSubscriptions: [uri] }))
  const settled = await Promise.allSettled(many)
  t.equal(settled.filter((one) => one.status === 'fulfilled').length, 100, 'one credential has at most 100 streams')
})

const connections = (app: FastifyInstance) =>
  new Promise<number>((resolve) => app.server.getConnections((_error, count) => resolve(count)))

t.test('a reader that takes nothing is cut, in both eras', async (t) => {
  resetNotes()
  const uri = `molar://notes/${noteId}~${'x'.repeat(20_000)}` // what the system keeps for a reader is soon full of these
  const { app, url } = await host(t, {}, { look: 20, stall: 100 })
  const session = (await app.inject(legacy(initialize))).headers['mcp-session-id'] as string
  const inSession = { 'mcp-session-id': session }
  await app.inject(legacy({ jsonrpc: '2.0', id: 1, method: 'resources/subscribe', params: { uri } }, inSession))
  const { headers, payload } = modern('subscriptions/listen', { notifications: { resourceSubscriptions: [uri] } })
  const requests = {
    'the stream of 2026': [`POST /mcp HTTP/1.1`, { ...headers, 'content-length': String(payload.length) }, payload],
    'the stream of 2025': ['GET /mcp HTTP/1.1', { ...legacy(undefined, inSession).headers }, ''],
  } as const
  for (const [title, [start, fields, body]] of Object.entries(requests)) {
    const { hostname, port, host: name } = new URL(url)
    const lines = Object.entries({ host: name, ...fields }).map(([key, value]) => `${key}: ${value}`)
    const socket = createConnection(Number(port), hostname).on('error', () => {})
    socket.write([start, ...lines, '', body].join('\r\n'))
    const [first] = (await once(socket, 'data')) as [Buffer]
    t.match(first.toString(), /^HTTP\/1.1 200/)
    socket.pause()
    const before = await connections(app)
    for (let told = 0; told < 2000 && (await connections(app)) === before; told += 20) {
      for (let one = 0; one < 20; one++) noteNews.emit(noteId)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await until(async () => (await connections(app)) < before)
    t.equal(await connections(app), before - 1, `${title} was cut`)
    socket.destroy()
  }
})

t.test('a stop of the server ends streams gracefully', async (t) => {
  resetNotes()
  const { app, url } = await host(t)
  const client = await connect(t, url, 'modern')
  const stream = await client.listen({ resourceSubscriptions: [uri] })
  await app.close()
  t.equal(await stream.closed, 'graceful')
})

for (const era of ['legacy', 'first'] as const) {
  t.test(`a ${era} client subscribes, hears and unsubscribes`, async (t) => {
    resetNotes()
    const { url } = await host(t)
    const client = await connect(t, url, era)
    const heard: string[] = []
    client.fallbackNotificationHandler = async ({ params }) => void heard.push((params as { uri: string }).uri)
    await client.subscribeResource({ uri })
    await client.subscribeResource({ uri })
    noteNews.emit(noteId)
    await until(() => heard.length === 1)
    t.same(heard, [uri], 'once, however often it subscribed')
    await client.unsubscribeResource({ uri })
    await until(() => noteNews.listenerCount(noteId) === 0)
    t.equal(noteNews.listenerCount(noteId), 0)
    await t.rejects(client.subscribeResource({ uri: absent }), { message: /There is no note/ })
    await t.rejects(client.subscribeResource({ uri: 'molar://notes' }), { message: /tells no changes/ })
    await client.subscribeResource({ uri })
    await client.close()
  })
}

t.test('streams of both eras close within 5 s of the end of their credential, and tell nothing after it', async (t) => {
  resetNotes()
  const { url, services } = await host(t)
  const modern = await connect(t, url, 'modern', tokens.reader)
  const legacy = await connect(t, url, 'legacy', tokens.reader)
  const bystander = await connect(t, url, 'modern', tokens.owner)
  const heard = [hear(modern), hear(legacy), hear(bystander)]
  const stream = await modern.listen({ resourceSubscriptions: [uri] })
  await legacy.subscribeResource({ uri })
  const kept = await bystander.listen({ resourceSubscriptions: [uri] })
  noteNews.emit(noteId)
  await until(() => heard.every((one) => one.length === 1))
  t.same(heard, [[uri], [uri], [uri]])
  services.revoke(tokens.reader)
  const revoked = Date.now()
  noteNews.emit(noteId)
  t.equal(await stream.closed, 'graceful', 'its delivery found the credential ended')
  await until(() => heard[2]!.length === 2)
  t.same(heard, [[uri], [uri], [uri, uri]])
  const quiet = await connect(t, url, 'modern', tokens.stranger)
  const silent = await connect(t, url, 'legacy', tokens.stranger)
  const still = await quiet.listen({ resourceSubscriptions: [other] })
  await silent.subscribeResource({ uri: other })
  const gone = new Promise<void>((resolve) => {
    silent.onerror = () => resolve()
  })
  services.revoke(tokens.stranger)
  t.equal(await still.closed, 'graceful', 'also where nothing is told')
  await gone
  t.ok(Date.now() - revoked < 6000, `${Date.now() - revoked} ms`)
  await until(() => noteNews.listenerCount(otherNoteId) === 0)
  t.equal(noteNews.listenerCount(otherNoteId), 0, 'the session of 2025 listens to nothing any more')
  t.equal(noteNews.listenerCount(noteId), 1, 'the bystander still listens')
  await kept.close()
})

t.test('a session of 2025 and what it listens to live on when its token ends and the next one comes', async (t) => {
  resetNotes()
  const { url, services } = await host(t)
  const shown = { authorization: `Bearer ${tokens.reader}` }
  const client = await connect(t, url, 'legacy', shown)
  const transport = client.transport as StreamableHTTPClientTransport
  const { sessionId } = transport
  const heard = hear(client)
  await client.subscribeResource({ uri })
  noteNews.emit(noteId)
  await until(() => heard.length === 1)
  services.revoke(tokens.reader)
  shown.authorization = `Bearer ${tokens.renewed}`
  await until(() => noteNews.listenerCount(noteId) === 0)
  t.equal(noteNews.listenerCount(noteId), 0, 'nothing is told to a token that has ended')
  await until(() => heard.length === 2)
  t.same(heard, [uri, uri], 'what may have changed meanwhile is told when the client comes again')
  noteNews.emit(noteId)
  await until(() => heard.length === 3)
  t.same(heard, [uri, uri, uri])
  await client.ping()
  t.equal(transport.sessionId, sessionId)
})
