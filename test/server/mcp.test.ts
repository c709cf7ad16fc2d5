import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client as FirstClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as FirstStdio } from '@modelcontextprotocol/sdk/client/stdio.js'
import t from 'tap'
import { noteId, resetNotes, slowCalls } from '../fixtures/commands.ts'
import { connect, host, initialize, modes, until } from '../fixtures/mcp.ts'

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

const entry = fileURLToPath(new URL('../fixtures/mcp-stdio.ts', import.meta.url))
const plainNode = { PATH: process.env.PATH ?? '' }

for (const era of ['modern', 'auto', 'legacy', 'first'] as const) {
  t.test(`a ${era} client over stdio is answered before the services are up, then calls with progress`, async (t) => {
    const command = { command: process.execPath, args: [entry], env: plainNode, stderr: 'pipe' as const }
    const transport = era === 'first' ? new FirstStdio(command) : new StdioClientTransport(command)
    let told = ''
    transport.stderr?.on('data', (chunk) => {
      told += chunk
    })
    const info = { name: 'test', version: '1' }
    const client =
      era === 'first' ? new FirstClient(info) : new Client(info, { versionNegotiation: modes[era] } as never)
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
    t.match(await client.readResource({ uri: `molar://notes/${noteId}` }), {
      contents: [{ mimeType: 'application/json' }],
    })
    t.match(told, /services/)
    await client.close()
    await until(() => told.includes('closed'))
    t.match(told, /closed/, 'it ended by itself when stdin did')
  })
}

t.test('stdio writes nothing but protocol, survives garbage, and leaves with the client', async (t) => {
  const child = spawn(process.execPath, [entry], { env: { ...plainNode, TOOLSETS: 'search' }, stdio: 'pipe' })
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
  const wrong = spawn(process.execPath, [entry], { env: { ...plainNode, TOOLSETS: 'nope' }, stdio: 'pipe' })
  let complaint = ''
  wrong.stderr.on('data', (chunk) => {
    complaint += chunk
  })
  await once(wrong, 'exit')
  t.match(complaint, /There is no toolset nope/)
})
