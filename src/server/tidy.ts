import { forgetExpired } from '../auth/account-store.ts'
import { forget } from '../auth/oauth/store.ts'
import type { Config } from '../config.ts'
import { makeCheckpointer } from '../core/audit/index.ts'
import { collectGarbage } from '../core/garbage/index.ts'
import type { OpenServices } from './services.ts'

const firstMs = 60_000
const everyMs = 3_600_000
const checkpointMs = 60_000

/** Collects garbage every hour and signs audit chains every minute and at the end, until it is stopped. Several servers may do so at once. */
export function keepTidy(services: OpenServices, config: Config): () => Promise<void> {
  const { db, blobs, log } = services
  let under: Promise<void> = Promise.resolve()
  const tidy = () => {
    under = Promise.all([collectGarbage(db, blobs, config), forgetExpired(db.system), forget(db.system)]).then(
      ([collected, , oauth]) => log.info({ ...collected, oauth }, 'garbage collected'),
      (error: unknown) => log.warn({ err: error }, 'garbage could not be collected'),
    )
  }
  const first = setTimeout(tidy, firstMs).unref()
  const every = setInterval(tidy, everyMs).unref()
  const checkpoint = makeCheckpointer(services)
  let signing: Promise<unknown> = Promise.resolve()
  const sign = () => {
    signing = checkpoint().catch((error: unknown) => log.warn({ err: error }, 'audit chains could not be signed'))
  }
  const signs = setInterval(sign, checkpointMs).unref()
  return async () => {
    clearTimeout(first)
    clearInterval(every)
    clearInterval(signs)
    await Promise.all([under, signing])
    sign()
    await signing
  }
}
