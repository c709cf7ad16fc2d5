import type { LiveEvents } from '../context.ts'

/** Subscribes to a channel of the database; answers how to stop. */
export type Listen = (
  channel: string,
  onMessage: (payload: string) => void,
  options: { onReady: () => void },
) => () => void

const sweepMs = 1000

/**
 * One subscription a process tells its followers that a run has news. A notification may be lost (a connection that
 * broke): the sweep wakes everybody each second, so nothing is late by more than that.
 */
export function runNews(listen: Listen): LiveEvents & { close(): void } {
  const watchers = new Map<string, Set<() => void>>()
  let stop: (() => void) | undefined
  let sweep: NodeJS.Timeout | undefined
  const wakeAll = () => {
    for (const wakes of watchers.values()) for (const wake of wakes) wake()
  }
  const onMessage = (payload: string) => {
    for (const id of payload.split(',')) for (const wake of watchers.get(id) ?? []) wake()
  }
  return {
    watch(runId, wake) {
      stop ??= listen('molar_runs', onMessage, { onReady: wakeAll })
      sweep ??= setInterval(wakeAll, sweepMs).unref()
      const wakes = watchers.get(runId) ?? new Set()
      watchers.set(runId, wakes.add(wake))
      return () => {
        wakes.delete(wake)
        if (wakes.size === 0 && watchers.get(runId) === wakes) watchers.delete(runId)
      }
    },
    close() {
      clearInterval(sweep)
      stop?.()
    },
  }
}
