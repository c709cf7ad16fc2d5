import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client as FirstClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as FirstStdio } from '@modelcontextprotocol/sdk/client/stdio.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import t, { type Test } from 'tap'
import { noteId, otherNoteId, resetNotes, slowCalls } from '../fixtures/commands.ts'
import { connect, hear, host, initialize, modes, stdioEntry, until } from '../fixtures/mcp.ts'

for (const era of ['modern', 'auto', 'legacy', 'first'] as const) {
  t.test(`a ${era} client lists, calls, reads, sees progress and errors, and cancels`, async (t) => {
    resetNotes()
    const { url } = await host(t)
    const client = await connect(t, url, era)
    t.match(client.getInstructions(), /molar_run_scenarios/, 'the loop is taught')

    const { tools } = await client.listTools()
    t.ok(tools.some((tool) => tool.name === 'molar_get_note'))
    t.notOk(
      tools.some((tool) => tool.name === 'molar_search_notes'),
      'a toolset that is not default stays out',
    )

    const got = await client.callTool({ name: 'molar_get_note', arguments: { id: noteId } })
    t.match(got.structuredContent, { id: noteId, title: 'First' })
    t.same(JSON.parse((got.content as { text: string }[])[0]!.text), got.structuredContent)

    const progress: unknown[] = []
    const watched = await client.callTool({ name: 'molar_watch_note', arguments: { id: noteId } }, {
      onprogress: (one: unknown) => progress.push(one),
    } as never)
    t.match(watched.structuredContent, { steps: 3 })
    t.match(progress, [{ progress: 1, message: 'step 1: look 1' }, { progress: 2 }, { progress: 3 }])

    const missing = await client.callTool({
      name: 'molar_get_note',
      arguments: { id: '019301c0-cafe-7000-bea7-0000000000ff' },
    })
    t.equal(missing.isError, true)
    t.notOk('structuredContent' in missing)
    t.match(JSON.parse((missing.content as { text: string }[])[0]!.text), {
      error: 'not_found',
      message: /There is no note/,
    })

    await t.rejects(client.callTool({ name: 'molar_get_nota' }), {
      code: -32602,
      message: /Did you mean molar_get_note\?/,
    })
    await t.rejects(client.callTool({ name: 'molar_search_notes', arguments: { query: 'a' } }), {
      message: /toolset search.*toolsets=default,search/,
    })

    const read = await client.readResource({ uri: `molar://notes/${noteId}/report` })
    t.match(read.contents[0], { mimeType: 'text/markdown', text: /^Text below.*# First/s })
    const same = await client.readResource({ uri: `molar://notes/${noteId}` })
    t.same(
      JSON.parse((same.contents[0] as { text: string }).text),
      got.structuredContent,
      'a resource reads what its tool reads',
    )
    t.match(await client.listResources(), { resources: [{ uri: 'molar://notes' }] })
    const templates = await client.listResourceTemplates()
    t.ok(templates.resourceTemplates.some((one) => one.uriTemplate === 'molar://notes/{note_id}'))
    await t.rejects(client.readResource({ uri: 'molar://nothing' }), { message: /no resource molar:\/\/nothing/ })

    // with a progress token, an event is there before the result; without, an answer is one JSON body
    for (const [at, withProgress] of [true, false].entries()) {
      const stop = new AbortController()
      const seen: unknown[] = []
      const options = { signal: stop.signal, ...(withProgress && { onprogress: (one: unknown) => seen.push(one) }) }
      const slow = { name: 'molar_slow_note', arguments: { milliseconds: 20_000 } }
      const waiting = client.callTool(slow, options as never)
      await until(() => slowCalls.started === at + 1 && (!withProgress || seen.length === 1))
      t.match(seen, withProgress ? [{ message: 'waiting' }] : [])
      stop.abort()
      await t.rejects(waiting)
      await until(() => slowCalls.aborted === at + 1)
      t.equal(slowCalls.aborted, at + 1, 'the handler was told that the client has cancelled')
    }
  })
}

/** Nothing of this process's environment but what a program needs to start, soon. */
const plainNode = { PATH: process.env.PATH ?? '', NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '' }
const [uri, absent] = [`molar://notes/${noteId}`, 'molar://notes/019301c0-cafe-7000-bea7-0000000000ff']

// One process for all that a client does over stdio: to start one costs more than the rest. `auto` finds the era of 2026.
for (const era of ['auto', 'legacy', 'first'] as const) {
  t.test(`a ${era} client over stdio is served before the services are up, asks, hears and cancels`, async (t) => {
    const env = { ...plainNode, TELL_EVERY: '50' }
    const command = { command: process.execPath, args: [stdioEntry], env, stderr: 'pipe' as const }
    const transport = era === 'first' ? new FirstStdio(command) : new StdioClientTransport(command)
    let told = ''
    transport.stderr?.on('data', (chunk) => {
      told += chunk
    })
    const info = { name: 'test', version: '1' }
    const capabilities = { capabilities: { elicitation: {} } }
    const asked: string[] = []
    const sayNo = ({ params }: { params: { message: string } }) => {
      asked.push(params.message)
      return { action: 'decline' as const }
    }
    const client = era === 'first' ? new FirstClient(info, capabilities) : secondClient(info, capabilities, era)
    if (client instanceof FirstClient) client.setRequestHandler(ElicitRequestSchema, sayNo)
    else client.setRequestHandler('elicitation/create', sayNo)
    await client.connect(transport as never)
    t.teardown(() => client.close())
    t.ok((await client.listTools()).tools.length > 5)
    t.equal(told, '', 'no services, nothing on stderr')

    const progress: unknown[] = []
    const options = { onprogress: (one: unknown) => progress.push(one) }
    // clients read a chunk at a time and lose progress that comes in one chunk with its result
    const params = { name: 'molar_slow_note', arguments: { milliseconds: 400 } }
    const result = await (client as FirstClient).callTool(
      params,
      ...((era === 'first' ? [undefined, options] : [options]) as [never]),
    )
    t.match(result.structuredContent, { waited: true })
    t.match(progress, [{ progress: 1, message: 'waiting' }])
    t.match(await client.readResource({ uri }), { contents: [{ mimeType: 'application/json' }] })
    t.match(told, /services/)

    const refused = await client.callTool({ name: 'molar_remove_note', arguments: { id: otherNoteId } })
    t.match(JSON.parse((refused.content as { text: string }[])[0]!.text), { error: 'cancelled' })
    t.equal(asked.length, 1, 'a person is asked before something is removed for good')

    if (!(client instanceof FirstClient)) await hearsAndCancels(t, client, era === 'auto', () => told)
    if (era === 'auto' && client instanceof Client) {
      const last = await client.listen({ resourceSubscriptions: [uri] })
      process.kill(transport.pid!, 'SIGUSR2')
      t.equal(await last.closed, 'graceful', 'it is closed when the credential ends')
    }
    await client.close()
    await until(() => told.includes('closed'))
    t.match(told, /closed/, 'it ended by itself when stdin did')
  })
}

const secondClient = (info: { name: string; version: string }, capabilities: object, era: 'auto' | 'legacy') =>
  new Client(info, { ...capabilities, versionNegotiation: modes[era] } as never)

/** Hears of changes until it stops, and cancels a call. */
async function hearsAndCancels(t: Test, client: Client, isModern: boolean, told: () => string): Promise<void> {
  const heard = hear(client)
  if (isModern) {
    await t.rejects(client.listen({ resourceSubscriptions: [absent] }), { message: /There is no note/ })
    const brief = await client.listen({ resourceSubscriptions: [uri, absent] })
    t.same(brief.honoredFilter.resourceSubscriptions, [uri])
    await until(() => heard.length > 1)
    await brief.close()
  } else {
    await client.subscribeResource({ uri })
    await until(() => heard.length > 1)
    await client.unsubscribeResource({ uri })
  }
  const before = heard.length
  t.ok(before > 1)
  await new Promise((resolve) => setTimeout(resolve, 200))
  t.ok(heard.length <= before + 1, 'nothing more once it stopped')

  const stop = new AbortController()
  const started = told().split('slow started').length
  const call = client.callTool({ name: 'molar_slow_note', arguments: { milliseconds: 20_000 } }, {
    signal: stop.signal,
  } as never)
  await until(() => told().split('slow started').length > started)
  stop.abort()
  await t.rejects(call)
  await until(() => told().includes('slow aborted'))
  t.match(told(), /slow aborted/, 'the handler was told of the cancellation')
}

t.test('stdio writes nothing but protocol, survives garbage, and leaves with the client', async (t) => {
  const child = spawn(process.execPath, [stdioEntry], { env: { ...plainNode, TOOLSETS: 'search' }, stdio: 'pipe' })
  t.teardown(() => child.kill())
  let out = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stdin.write('this is not JSON\n{"jsonrpc":"2.0"}\n')
  child.stdin.write(
    `${JSON.stringify(initialize)}\n${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })}\n`,
  )
  await until(() => out.split('\n').length > 2)
  const messages = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.match(messages, [
    { id: 0, result: { serverInfo: { name: 'molar' } } },
    { id: 1, result: { tools: [{ name: 'molar_search_notes' }] } },
  ])
  child.stdin.end()
  const [code] = (await once(child, 'exit')) as [number]
  t.equal(code, 0)
  const wrong = spawn(process.execPath, [stdioEntry], { env: { ...plainNode, TOOLSETS: 'nope' }, stdio: 'pipe' })
  let complaint = ''
  wrong.stderr.on('data', (chunk) => {
    complaint += chunk
  })
  await once(wrong, 'exit')
  t.match(complaint, /There is no toolset nope/)
})
