import t from 'tap'
import { z } from 'zod'
import { defineCommand } from '../../src/core/command.ts'
import type { CallContext } from '../../src/core/context.ts'
import { fail } from '../../src/core/errors.ts'
import { watch } from '../../src/core/watch.ts'
import { fixtureServices, getNote, listNotes, noteId, noteNews, resetNotes, tokens } from '../fixtures/commands.ts'

const caller = (services = fixtureServices(), token: string = tokens.owner): CallContext => ({
  services: async () => services,
  door: 'mcp',
  requestId: 'r',
  credential: { kind: 'bearer', token },
})

t.test('what is absent, malformed, not allowed or never changes is refused before anything is promised', async (t) => {
  resetNotes()
  const absent = '019301c0-cafe-7000-bea7-0000000000ff'
  await t.rejects(watch(getNote, { id: absent }, caller()), { code: 'not_found' })
  await t.rejects(watch(getNote, { id: 'x' }, caller()), { code: 'validation_failed' })
  await t.rejects(watch(getNote, { id: noteId }, caller(undefined, 'nobody')), { code: 'unauthorized' })
  await t.rejects(watch(getNote, { id: noteId }, { ...caller(), org: 'elsewhere' }), { code: 'forbidden' })
  await t.rejects(watch(listNotes, {}, caller()), { code: 'bad_request' })
  t.equal(noteNews.listenerCount(noteId), 0)
})

t.test('each change asks again who may see it', async (t) => {
  resetNotes()
  const services = fixtureServices()
  const changes = (await watch(getNote, { id: noteId }, caller(services)))[Symbol.asyncIterator]()
  noteNews.emit(noteId)
  t.equal((await changes.next()).done, false)
  services.revoke(tokens.owner)
  noteNews.emit(noteId)
  await t.rejects(changes.next(), { code: 'unauthorized' })
})

t.test(
  'a database that goes away ends nothing: the watch opens again, and says that there may have been news',
  async (t) => {
    let opened = 0
    const command = defineCommand({
      name: 'test.flaky',
      tool: 'test_flaky',
      title: 'Flaky',
      summary: 'Tells one change each time it is opened; the first two times it then breaks.',
      input: z.object({}),
      output: z.object({}),
      rest: 'GET /v1/test/flaky',
      access: { scope: 'mcp:read' },
      effect: 'read',
      errors: [],
      examples: [],
      resource: {
        uri: 'test://flaky',
        name: 'Flaky',
        async changes() {
          if (++opened === 2) fail('unavailable', 'The database cannot be reached right now.')
          const mine = opened
          return (async function* () {
            yield 1
            if (mine === 1) fail('unavailable', 'The database cannot be reached right now.')
          })()
        },
      },
      handler: async () => ({}),
    })
    const alive = setInterval(() => {}, 1000) // the pause alone keeps no process up
    t.teardown(() => clearInterval(alive))
    let told = 0
    for await (const _change of await watch(command, {}, caller())) told++
    t.equal(opened, 3)
    t.equal(told, 3, 'one before it broke, one for what may have been missed, one after')
  },
)
