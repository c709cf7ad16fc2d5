import type { Services } from '../core/context.ts'

export interface Metrics {
  /** Counts a call of a command. */
  observe: Services['observe']
  /** Counts an SSE stream that opened (1) or ended (-1). */
  stream(change: 1 | -1): void
  /** All that is counted, in Prometheus' text format. */
  scrape(): Promise<{ contentType: string; text: string }>
}

/** Counters of one process. Labels are names from closed lists, so their number stays small. */
export function makeMetrics(): Metrics {
  let made: ReturnType<typeof makeCounters> | undefined
  // With prom-client comes OpenTelemetry, 80 ms of the processor: a start need not wait for it.
  const counters = () => (made ??= makeCounters())
  return {
    observe({ command, door, result, milliseconds }) {
      void counters().then(({ calls, seconds }) => {
        calls.inc({ command, door, result })
        seconds.observe({ command, door }, milliseconds / 1000)
      })
    },
    stream: (change) => void counters().then(({ streams }) => streams.inc(change)),
    async scrape() {
      const { registry, collectOwn } = await counters()
      collectOwn()
      return { contentType: registry.contentType, text: await registry.metrics() }
    },
  }
}

async function makeCounters() {
  const { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } = await import('prom-client')
  const registry = new Registry()
  const registers = [registry]
  const labelNames = ['command', 'door'] as const
  let collects = false
  return {
    registry,
    calls: new Counter({
      name: 'molar_calls_total',
      help: 'Finished calls of commands, by result (ok or the error code)',
      labelNames: [...labelNames, 'result'],
      registers,
    }),
    seconds: new Histogram({
      name: 'molar_call_duration_seconds',
      help: 'How long calls of commands took',
      labelNames,
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 50],
      registers,
    }),
    streams: new Gauge({ name: 'molar_open_streams', help: 'Open server-sent event streams', registers }),
    /** Node's own, from the first question on: measuring the event loop wakes the process a hundred times a second, and few are asked. */
    collectOwn() {
      if (!collects) collectDefaultMetrics({ register: registry })
      collects = true
    },
  }
}
