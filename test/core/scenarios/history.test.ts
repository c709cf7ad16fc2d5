import t from 'tap'
import { exampleScenario } from '../../../src/core/scenarios/example.ts'
import { world } from '../../fixtures/world.ts'

t.test('every version of a scenario can be read, paged, and uploaded again', async (t) => {
  const here = await world(t)
  const upload = async (content: string) => (await here.rest('POST /v1/scenarios', { content })).body
  const greeting = (text: string) => exampleScenario.replace('"Welcome"', `"${text}"`)

  t.match(await upload(greeting('one')), { status: 'created', version: 1 })
  t.match(await upload(greeting('two')), { status: 'updated', version: 2 })
  t.match(await upload(greeting('two')), { status: 'unchanged', version: 2 })
  t.match(await upload(greeting('three')), { status: 'updated', version: 3 })

  const first = await here.rest('GET /v1/scenarios/example-home/history?limit=2')
  t.match(first.body, { items: [{ version: 3 }, { version: 2 }], truncated: false })
  const rest = await here.rest(`GET /v1/scenarios/example-home/history?limit=2&cursor=${first.body.next_cursor}`)
  t.match(rest.body, { items: [{ version: 1, content: greeting('one') }], next_cursor: null })
  const other = await here.rest(`GET /v1/scenarios/another/history?cursor=${first.body.next_cursor}`)
  t.equal(other.status, 404)

  t.match(await upload(rest.body.items[0].content), { status: 'updated', version: 4 }, 'going back is a new version')
  t.match((await here.rest('GET /v1/scenarios/example-home')).body, { version: 4, content: greeting('one') })
})
