import { fastify } from 'fastify'
import t from 'tap'
import { restContext } from '../../src/rest/context.ts'
import { registerCommands } from '../../src/rest/routes.ts'
import { fixtureCommands, fixtureServices, noteId, resetNotes, tokens } from '../fixtures/commands.ts'
import { fixtureOutside } from '../fixtures/outside.ts'
import { bare, entries, type Ran, runCli } from '../fixtures/run-cli.ts'
import { runHere } from '../fixtures/run-here.ts'

const app = fastify()
const services = fixtureServices()
registerCommands(app, { commands: fixtureCommands, contextOf: restContext(async () => services) })
const base = await app.listen({ host: '127.0.0.1', port: 0 })
t.teardown(() => app.close())

const here = { MOLAR_API_KEY: tokens.owner }
const there = { ...here, MOLAR_URL: base }

const cli = (args: string[], { env, stdin }: { env?: Record<string, string>; stdin?: string } = {}) =>
  runHere(args, fixtureOutside(bare(env), entries.fixture), stdin)

t.test('a command answers the same from a server as from this machine', async (t) => {
  const same: string[][] = [
    ['notes', 'get', noteId],
    ['notes', 'get', noteId, '--json'],
    ['notes', 'list', '--tag', 'b'],
    ['notes', 'list', '--limit', '1', '--json'],
    ['notes', 'search', '--query', 'First', '--exact', '--json'],
    ['notes', 'import', '-', '--json'],
    ['notes', 'watch', noteId, '--steps', '2'],
    ['notes', 'watch', noteId, '--steps', '2', '--json'],
    ['notes', 'slow', '--milliseconds', '1'],
    ['notes', 'file', noteId, 'a.txt', '--json'],
    ['notes', 'report', noteId],
    ['notes', 'get', '42', '--json'],
    ['notes', 'get', '019301c0-cafe-7000-bea7-0000000000ff'],
    ['notes', 'list', '--limit', '9999'],
    ['notes', 'list', '--org', 'elsewhere'],
    ['notes', 'watch', '019301c0-cafe-7000-bea7-0000000000ff'],
  ]
  for (const args of same) {
    const answers = []
    for (const env of [here, there]) {
      resetNotes()
      answers.push(await cli(args, { env, stdin: 'a\nb' }))
    }
    const [local, remote] = answers as [Ran, Ran]
    t.same(withoutCursor(remote), withoutCursor(local), args.join(' '))
  }
  t.ok(services.observed.length >= same.length - 1, 'and it was the server that answered')
})

/** A cursor is signed by whoever gave it. */
const withoutCursor = (ran: Ran) => ({
  ...ran,
  out: ran.out.replace(/"next_cursor":"[^"]+"/, ''),
})

t.test('writes carry the idempotency key, the body and the org', async (t) => {
  resetNotes()
  const create = [
    'notes',
    'create',
    'Once',
    '--place',
    'city=Bern',
    '--idempotency-key',
    'k1',
    '--org',
    'local',
    '--json',
  ]
  const first = await cli(create, { env: there })
  const second = await cli(create, { env: there })
  t.match(JSON.parse(first.out), { title: 'Once', place: { city: 'Bern' } })
  t.same(JSON.parse(second.out), JSON.parse(first.out), 'the second answer is the first')
  t.equal((await cli(['notes', 'remove', noteId], { env: there })).code, 0)
})

t.test('a server that is not one, wants a key, or is not there says what to do', async (t) => {
  const stranger = await cli(['notes', 'list'], { env: { MOLAR_URL: base } })
  t.equal(stranger.code, 3)
  const web = fastify()
  web.get('/v1/notes', (_request, reply) => reply.type('text/html').send('<p>hello'))
  web.get('/v1/notes/:id', (_request, reply) => reply.redirect('https://elsewhere.test/'))
  const url = await web.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => web.close())
  const env = { MOLAR_URL: url }
  const html = await cli(['notes', 'list'], { env })
  t.equal(html.code, 7)
  t.match(html.err, 'MOLAR_URL')
  const elsewhere = await cli(['notes', 'get', noteId], { env })
  t.match(elsewhere.err, 'https://elsewhere.test/', 'a redirect is told, never followed with the key')
  const absent = await cli(['notes', 'file', noteId, 'x'], { env })
  t.equal(absent.code, 4)
  const nobody = await runCli('fixture', ['notes', 'list', '--url', 'http://127.0.0.1:9'])
  t.equal(nobody.code, 7)
  t.match(nobody.err, 'No answer from http://127.0.0.1:9')
})
