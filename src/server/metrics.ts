import type { Registry } from 'prom-client'
import type { Services } from '../core/context.ts'

export interface Metrics {
  /** What `Services.observe` is: counts a finished call of any door. */
  observe: Services['observe']
  /** Counts an SSE stream that opened (1) or ended (-1). */
  stream(change: 1 | -1): void
  /** All that is counted, in Prometheus' text format. */
  scrape(): Promise<{ contentType: string; text: string }>
}

const bounds = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 50, Number.POSITIVE_INFINITY]

/** How many calls took how long, up to each of the bounds and longer than the one before; `sum` in seconds. */
interface Taken {
  counts: number[]
  sum: number
}

/** Counters of one process. Labels are names from closed lists, so their number stays small and nothing is to be escaped. */
export function makeMetrics(): Metrics {
  const calls = new Map<string, number>()
  const durations = new Map<string, Taken>()
  let streams = 0
  let own: Promise<Registry> | undefined
  return {
    observe({ command, door, result, milliseconds }) {
      const labels = `command="${command}",door="${door}"`
      const counted = `${labels},result="${result}"`
      calls.set(counted, (calls.get(counted) ?? 0) + 1)
      const taken = durations.get(labels) ?? { counts: bounds.map(() => 0), sum: 0 }
      durations.set(labels, taken)
      const seconds = milliseconds / 1000
      taken.counts[bounds.findIndex((bound) => seconds <= bound)]! += 1
      taken.sum += seconds
    },
    stream(change) {
      streams += change
    },
    async scrape() {
      own ??= ofNode()
      const registry = await own
      const lines = [
        ...about('molar_calls_total', 'counter', 'Finished calls of commands, by result (ok or the error code)'),
        ...[...calls].map(([labels, count]) => `molar_calls_total{${labels}} ${count}`),
        ...about('molar_call_duration_seconds', 'histogram', 'How long calls of commands took'),
        ...[...durations].flatMap(([labels, taken]) => histogram('molar_call_duration_seconds', labels, taken)),
        ...about('molar_open_streams', 'gauge', 'Open server-sent event streams'),
        `molar_open_streams ${streams}`,
      ]
      return { contentType: registry.contentType, text: `${lines.join('\n')}\n\n${await registry.metrics()}` }
    },
  }
}

const about = (name: string, type: string, help: string): string[] => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} ${type}`,
]

function histogram(name: string, labels: string, { counts, sum }: Taken): string[] {
  let all = 0
  const buckets = counts.map((count, at) => {
    all += count
    const le = bounds[at] === Number.POSITIVE_INFINITY ? '+Inf' : bounds[at]
    return `${name}_bucket{le="${le}",${labels}} ${all}`
  })
  return [...buckets, `${name}_sum{${labels}} ${sum}`, `${name}_count{${labels}} ${all}`]
}

/** From the first question on: measuring the event loop wakes the process a hundred times a second, and few are asked. */
async function ofNode(): Promise<Registry> {
  const { collectDefaultMetrics, Registry } = await import('prom-client')
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return registry
}
