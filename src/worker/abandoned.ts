import type { Logger } from 'pino'
import { giveUpSilentRuns } from '../core/runs/index.ts'
import type { OpenServices } from '../server/services.ts'

/** Looks now and then for runs whose external executor fell silent. Every worker does; each run ends once. Answers how to stop. */
export function watchAbandoned(
  services: Pick<OpenServices, 'db' | 'blobs'>,
  timeoutSeconds: number,
  log: Logger,
): () => void {
  const everyMs = Math.min(60_000, Math.max(250, (timeoutSeconds * 1000) / 4))
  let under = false
  const look = async () => {
    if (under) return
    under = true
    const given = await giveUpSilentRuns(services, timeoutSeconds).catch((error: unknown) => {
      log.warn({ err: error }, 'silent runs could not be looked for; it is tried again')
      return []
    })
    for (const run_id of given) log.warn({ run_id }, 'an external executor fell silent; its run is given up')
    under = false
  }
  const timer = setInterval(() => void look(), everyMs).unref()
  return () => clearInterval(timer)
}
