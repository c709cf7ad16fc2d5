import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Services } from '../core/context.ts'

export interface Metrics {
  /** What `Services.observe` is: counts a finished call of any door. */
  observe: Services['observe']
  /** Counts an SSE stream that opened (1) or ended (-1). */
  stream(change: 1 | -1): void
  /** For what else the process counts. */
  registry: Registry
}

/** Counters of one process. Labels are names from closed lists, so their number stays small. */
export function makeMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const labelNames = ['command', 'door'] as const
  const calls = new Counter({
    name: 'molar_calls_total',
    help: 'Finished calls of commands, by result (ok or the error code)',
    labelNames: [...labelNames, 'result'],
    registers,
  })
  const seconds = new Histogram({
    name: 'molar_call_duration_seconds',
    help: 'How long calls of commands took',
    labelNames,
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 50],
    registers,
  })
  const streams = new Gauge({ name: 'molar_open_streams', help: 'Open server-sent event streams', registers })
  return {
    observe({ command, door, result, milliseconds }) {
      calls.inc({ command, door, result })
      seconds.observe({ command, door }, milliseconds / 1000)
    },
    stream: (change) => streams.inc(change),
    registry,
  }
}
