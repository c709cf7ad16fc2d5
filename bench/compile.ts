import { compileScenario, emitSpec } from '../src/core/scenarios/language/index.ts'
import { quantile, quick, spread, tell } from './row.ts'

const lines = [
  'Navigate to /orders/${run.id}?page=1',
  'Fill textbox "Email" in form "Sign in" with "${user.email}"',
  'Click button "Pay now" in row "Ada" {timeout: 15s}',
  'Assert text "Thank you" is visible',
  'Assert "Total" does not contain "${user.email}"',
  'Wait for response GET /api/orders/* {status: 200}',
  'Assert response $.items[0].name is "Book"',
  'Screenshot {name: receipt, full_page: true}',
]

/** A scenario of so many steps, of the usual kinds. */
export function scenarioOf(steps: number): string {
  const body = Array.from({ length: steps }, (_, index) => `${index + 1}. ${lines[index % lines.length]}`)
  return `---
spec_version: '1.0'
id: 019301c0-cafe-7000-bea7-000000000001
slug: bench
description: Many steps.
variables: { user.email: ada@example.com }
---
# Bench

## Steps
${body.join('\n')}
`
}

/** Elapsed and processor milliseconds of each round: the plan and its spec. */
function measure(steps: number, rounds: number): { elapsed: number[]; processor: number[] } {
  const source = scenarioOf(steps)
  const elapsed: number[] = []
  const processor: number[] = []
  for (let round = 0; round < rounds; round++) {
    const before = process.threadCpuUsage()
    const start = performance.now()
    const result = compileScenario(source)
    if (!result.ok) throw new Error(JSON.stringify(result.problems[0]))
    emitSpec(result.plan)
    elapsed.push(performance.now() - start)
    const { user, system } = process.threadCpuUsage(before)
    processor.push((user + system) / 1000)
  }
  return { elapsed, processor }
}

if (process.argv[1] === import.meta.filename) {
  measure(200, 50)
  for (const steps of [100, 200, 400]) {
    const { elapsed, processor } = measure(steps, quick ? 100 : 300)
    tell({
      what: `compile ${steps} steps, p99`,
      value: quantile(elapsed, 0.99),
      unit: 'ms',
      ...(steps === 200 && { most: 20 }),
      detail: `${spread(elapsed, 1)} ms; of processor ${spread(processor, 1)}, p99 ${quantile(processor, 0.99).toFixed(1)} ms`,
    })
  }
}
