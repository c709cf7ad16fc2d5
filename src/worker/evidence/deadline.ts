import { setTimeout as sleep } from 'node:timers/promises'

/** What `work` gives, or undefined when it fails or takes longer than `ms`. For evidence, which may be missing but never in the way. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const done = new AbortController()
  const late = sleep(ms, undefined, { signal: done.signal, ref: false }).catch(() => undefined)
  return Promise.race([work.catch(() => undefined), late]).finally(() => done.abort())
}
