import type { Config } from '../config.ts'
import { deliverUsage } from '../core/billing/index.ts'
import type { OpenServices } from './services.ts'

const everyMs = 5000

/** Tells the billing service what was used, every few seconds until it is stopped. Several servers may do so at once. */
export function keepDelivering({ db, log }: OpenServices, { lago }: Config): () => Promise<void> {
  if (!lago) return async () => {}
  let under: Promise<void> | undefined
  const deliver = () => {
    under ??= deliverUsage(db.system, lago, log)
      .then(
        () => {},
        (error: unknown) => log.warn({ err: error }, 'usage could not be delivered'),
      )
      .finally(() => {
        under = undefined
      })
  }
  const every = setInterval(deliver, everyMs).unref()
  return async () => {
    clearInterval(every)
    await under
  }
}
