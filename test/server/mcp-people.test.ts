import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as FirstClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as FirstTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import t from 'tap'
import { commands } from '../../src/core/index.ts'
import { findPrompt, getPrompt, promptList, prompts } from '../../src/server/mcp/prompts.ts'
import { estimateTokens, toolCatalogue } from '../../src/tools/index.ts'
import { noteId, otherNoteId, resetNotes, tokens } from '../fixtures/commands.ts'
import { connect, envelope, host, modern, modes } from '../fixtures/mcp.ts'

// What people do at a client: say yes or no, pick a prompt, have a value completed, look for a tool.

type Answer = 'accept' | 'decline' | 'cancel'
const remove = { name: 'molar_remove_note', arguments: { id: otherNoteId } }
const textOf = (result: { content: unknown }) => (result.content as { text: string }[])[0]!.text

/** A client whose person answers every question so, and what they were asked. */
async function asking(url: string, era: 'modern' | 'legacy' | 'first', answer: Answer) {
  const asked: string[] = []
  const capabilities = { capabilities: { elicitation: {} } }
  const init = { requestInit: { headers: { authorization: `Bearer ${tokens.owner}` } } }
  if (era === 'first') {
    const client = new FirstClient({ name: 'test', version: '1' }, capabilities)
    client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
      asked.push(params.message)
      return { action: answer, content: {} }
    })
    await client.connect(new FirstTransport(new URL(url), init) as never)
    return { client: client as unknown as Client, asked }
  }
  const client = new Client({ name: 'test', version: '1' }, {
    ...capabilities,
    versionNegotiation: modes[era],
  } as never)
  client.setRequestHandler('elicitation/create', ({ params }) => {
    asked.push(params.message)
    return { action: answer, content: {} }
  })
  await client.connect(new StreamableHTTPClientTransport(new URL(url), init))
  return { client, asked }
}

for (const era of ['modern', 'legacy', 'first'] as const) {
  t.test(`a ${era} client that can ask does, before something is removed for good`, async (t) => {
    const { url } = await host(t)
    for (const answer of ['decline', 'cancel', 'accept'] as const) {
      resetNotes()
      const { client, asked } = await asking(url, era, answer)
      const result = await client.callTool(remove)
      t.equal(asked.length, 1)
      t.match(asked[0], /Remove a note\? .*0002.*cannot be undone/)
      if (answer === 'accept') t.match(result.structuredContent, { removed: true })
      else t.match(JSON.parse(textOf(result)), { error: 'cancelled', message: /said no. Nothing was changed/ })
      const there = await client.callTool({ name: 'molar_get_note', arguments: { id: otherNoteId } })
      t.equal(there.isError === true, answer === 'accept', 'what was refused was not done')
      const through = {
        name: 'molar_execute_tool',
        arguments: { name: 'molar_remove_note', arguments: { id: noteId } },
      }
      await client.callTool(through)
      t.equal(asked.length, 2, 'also when it is reached through another tool')
      const wrong = await client.callTool({ name: 'molar_remove_note', arguments: { id: 'x' } })
      t.match(JSON.parse(textOf(wrong)), { error: 'validation_failed' })
      t.equal(asked.length, 2, 'nobody is asked about what is refused anyway')
      await client.callTool({ name: 'molar_create_note', arguments: { title: 'x' } })
      t.equal(asked.length, 2, 'nor about what only adds')
      await client.close()
    }
  })

  t.test(`a ${era} client that can't ask is served at once`, async (t) => {
    resetNotes()
    const { url } = await host(t)
    const client = await connect(t, url, era)
    t.match((await client.callTool(remove)).structuredContent, { removed: true })
  })
}

t.test('by hand: the question is input_required, and the answer comes with the same call', async (t) => {
  resetNotes()
  const { app } = await host(t)
  const able = { ...envelope, 'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } } }
  const call = async (extra: object) =>
    (await app.inject(modern('tools/call', { ...remove, _meta: able, ...extra }))).json().result
  t.match(await call({}), {
    resultType: 'input_required',
    inputRequests: { confirm: { method: 'elicitation/create', params: { mode: 'form' } } },
  })
  t.match(await call({ inputResponses: { confirm: 7 } }), { resultType: 'input_required' }, 'nonsense is no yes')
  t.match(await call({ inputResponses: { confirm: { action: 'accept', content: {} } } }), {
    structuredContent: { removed: true },
  })
  const urlOnly = { ...envelope, 'io.modelcontextprotocol/clientCapabilities': { elicitation: { url: {} } } }
  t.match(await call({ _meta: urlOnly }), { isError: true }, 'a client without forms is not asked; the note is gone')
})

for (const era of ['modern', 'legacy', 'first'] as const) {
  t.test(`a ${era} client gets prompts, completions and resources that say what is data`, async (t) => {
    resetNotes()
    const { url } = await host(t)
    const client = await connect(t, url, era)
    t.same(
      (await client.listPrompts()).prompts.map(({ name }) => name),
      ['write_scenario', 'debug_run', 'fix_flaky_scenario'],
    )
    const { messages } = await client.getPrompt({ name: 'debug_run', arguments: { run_id: 'run-7' } })
    t.match(messages[0], { role: 'user', content: { text: /molar_get_run with id run-7/ } })
    await t.rejects(client.getPrompt({ name: 'debug_run' }), { code: -32602, message: /needs run_id/ })
    await t.rejects(client.getPrompt({ name: 'nope' }), { message: /no prompt nope. Prompts: write_scenario/ })

    const complete = async (value: string, name = 'note_id') =>
      (
        await client.complete({
          ref: { type: 'ref/resource', uri: 'molar://notes/{note_id}' },
          argument: { name, value },
        })
      ).completion
    t.same(await complete('019301C0-cafe'), { values: [noteId, otherNoteId], total: 2, hasMore: false })
    t.same((await complete(otherNoteId.slice(0, 36))).values, [otherNoteId])
    t.same((await complete('zzz')).values, [])
    t.same((await complete('0', 'other')).values, [])
    await t.rejects(
      client.complete({ ref: { type: 'ref/resource', uri: 'molar://x/{id}' }, argument: { name: 'id', value: '' } }),
      { code: -32602, message: /no resource template/ },
    )

    const read = await client.readResource({ uri: `molar://notes/${noteId}` })
    t.match(read.contents[1], { mimeType: 'text/plain', text: /read as data only: body/ })
    t.match((await client.readResource({ uri: `molar://notes/${noteId}/report` })).contents, [{ text: /^Text below/ }])
  })
}

t.test('search finds tools that are not listed, and execute calls them under the same rules', async (t) => {
  resetNotes()
  const { url } = await host(t)
  const client = await connect(t, url, 'auto')
  const search = async (query: string) =>
    (await client.callTool({ name: 'molar_search_tools', arguments: { query } })).structuredContent as {
      tools: { name: string; input_schema: object }[]
      more: string[]
    }
  const found = await search('search notes by a word')
  t.match(found.tools[0], { name: 'molar_search_notes', toolset: 'search', effect: 'read', scope: 'mcp:read' })
  t.match(found.tools[0]?.input_schema, { type: 'object', required: ['query'] })
  t.equal(found.tools.length, 5)
  t.ok(found.more.length > 0, 'the rest by name')
  t.match(await search('zebra'), { tools: [], next: /Toolsets: notes, search/ })

  const execute = (name: unknown, given?: unknown, options?: object) =>
    client.callTool({ name: 'molar_execute_tool', arguments: { name, arguments: given } as never }, options as never)
  const ran = await execute('molar_search_notes', { query: 'First' })
  t.match(ran.structuredContent, { ids: [noteId] })
  const progress: unknown[] = []
  await execute('molar_watch_note', { id: noteId }, { onprogress: (one: unknown) => progress.push(one) })
  t.equal(progress.length, 3)
  t.match(JSON.parse(textOf(await execute('molar_search_note', {}))), {
    error: 'not_found',
    message: /Did you mean molar_search_notes\?/,
  })
  t.match(JSON.parse(textOf(await execute('molar_search_notes', { query: 7 }))), { error: 'validation_failed' })
  t.match(JSON.parse(textOf(await execute(7))), { error: 'validation_failed', message: /^name: / })

  const reader = await connect(t, url, 'auto', tokens.reader)
  const denied = await reader.callTool({
    name: 'molar_execute_tool',
    arguments: { name: 'molar_create_note', arguments: { title: 'x' } },
  })
  t.match(JSON.parse(textOf(denied)), { error: 'insufficient_scope' })

  for (const query of ['?read_only=true', '?read_only=true&toolsets=notes']) {
    const safe = await connect(t, `${url}${query}`, 'auto')
    const refused = await safe.callTool({
      name: 'molar_execute_tool',
      arguments: { name: 'molar_create_note', arguments: { title: 'x' } },
    })
    t.match(JSON.parse(textOf(refused)), { error: 'not_found', message: /read-only/ })
    const { tools } = await safe.listTools()
    t.ok(
      tools.every((tool) => tool.annotations?.readOnlyHint === true),
      'every tool of a read-only connection only reads',
    )
  }
  const all = await connect(t, `${url}?toolsets=all`, 'auto')
  t.notOk(
    (await all.listTools()).tools.some((tool) => tool.name.startsWith('molar_search_tools')),
    'where all are listed nothing is left to find',
  )
  await t.rejects(all.callTool({ name: 'molar_execute_tool', arguments: {} }), { code: -32602 })
})

t.test('the prompts name only tools that are listed by default, and arguments that they have', async (t) => {
  const listed = toolCatalogue(commands).select({})
  for (const prompt of prompts) {
    const names = prompt.text.match(/\b(?:molar_\w+|(?:list|get)_traces?)\b/g) ?? []
    t.ok(names.length >= 4, `${prompt.name} teaches the loop`)
    for (const name of names) t.ok(listed.find(name), name)
    const used = new Set([...prompt.text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]))
    t.same([...used].sort(), prompt.arguments.map((one) => one.name).sort())
    for (const { complete } of prompt.arguments) {
      if (complete)
        t.ok(
          commands.some((command) => command.name === complete.list),
          complete.list,
        )
    }
    t.ok(estimateTokens(prompt.text) < 600, `${estimateTokens(prompt.text)} tokens`)
  }
  t.notMatch(JSON.stringify(promptList), /complete|scenarios\.list/)
  t.equal(findPrompt('debug_run').title, 'Debug a failed run')
  const { messages } = getPrompt('write_scenario', { goal: 'x'.repeat(10_000) })
  t.ok((messages[0]!.content as { text: string }).text.length < 7000, 'a value is cut')
})
