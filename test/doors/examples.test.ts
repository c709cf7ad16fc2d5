import t from 'tap'
import { commands } from '../../src/core/index.ts'
import { exampleScenario } from '../../src/core/scenarios/example.ts'
import { type Outcome, openDoors } from '../fixtures/doors.ts'
import { seedExampleRun } from '../fixtures/example-run.ts'
import { world } from '../fixtures/world.ts'

// Every example of every command, through every door, with the same answer.

const here = await world(t, { workers: 2 })
const doors = await openDoors(t, here)

await here.rest('POST /v1/scenarios', { content: exampleScenario })
await seedExampleRun(here)

for (const command of commands) {
  t.test(command.name, async (t) => {
    t.ok(command.examples.length > 0, 'has examples')
    for (const example of command.examples) {
      const seen: Record<string, unknown> = {}
      const input = example.input as Record<string, unknown>
      const outcomes = await Promise.all(
        Object.entries(doors).map(async ([door, send]) => [door, await send(command, input)] as const),
      )
      for (const [door, outcome] of outcomes) {
        if (example.error)
          t.match(outcome, { error: example.error }, `${example.title}: ${door} refuses it with ${example.error}`)
        else
          t.match(
            'answer' in outcome ? outcome.answer : outcome,
            (example.output ?? {}) as object,
            `${example.title}: ${door} answers as the example says`,
          )
        seen[door] = normalised(outcome)
      }
      const [first, ...others] = Object.values(seen)
      for (const other of others) t.same(other, first, `${example.title}: the doors agree`)
    }
  })
}

/** What differs between two honest calls: fresh ids, times, secrets, cursors, hashes of chains. */
function normalised(outcome: Outcome): unknown {
  const text = JSON.stringify(outcome, (key, value) => {
    if (
      /(_at|^at|_ms|_cursor|^hash|^content|^prefix|^api_key|^token$|^request_id|^door|^remote_address|^seq)$/.test(
        key,
      ) &&
      value !== null
    )
      return `<${key}>`
    if (key === 'status' && ['created', 'updated', 'unchanged', 'queued', 'running', 'errored'].includes(value))
      return '<status>'
    if (key === 'created' || key === 'updated' || key === 'unchanged') return '<count>'
    return value
  })
  return JSON.parse(
    text.replace(/expires=[^"]*/g, 'expires=…').replace(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f-]{17}/g, '<id>'),
  )
}
