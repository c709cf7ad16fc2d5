import { compileScenario } from '../src/core/scenarios/language/index.ts'

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

function measure(steps: number, rounds: number): { median: number; p99: number } {
  const source = scenarioOf(steps)
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    const result = compileScenario(source)
    times.push(performance.now() - start)
    if (!result.ok) throw new Error(JSON.stringify(result.problems[0]))
  }
  times.sort((a, b) => a - b)
  return { median: times[Math.floor(rounds / 2)] as number, p99: times[Math.floor(rounds * 0.99)] as number }
}

if (process.argv[1] === import.meta.filename) {
  measure(200, 50)
  for (const steps of [10, 100, 200, 400]) {
    const { median, p99 } = measure(steps, 300)
    process.stdout.write(`${steps} steps: median ${median.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms\n`)
  }
}
