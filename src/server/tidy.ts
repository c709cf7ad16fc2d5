import { forgetExpired } from '../auth/account-store.ts'
import { forget } from '../auth/oauth/store.ts'
import type { Config } from '../config.ts'
import { collectGarbage } from '../core/garbage/index.ts'
import type { OpenServices } from './services.ts'

const firstMs = 60_000
const everyMs = 3_600_000

/** Collects garbage every hour until it is stopped. Several servers may do so at once. */
export function keepTidy({ db, blobs, log }: OpenServices, config: Config): () => Promise<void> {
  let under: Promise<void> = Promise.resolve()
  const tidy = () => {
    under = Promise.all([collectGarbage(db, blobs, config), forgetExpired(db.system), forget(db.system)]).then(
      ([collected, , oauth]) => log.info({ ...collected, oauth }, 'garbage collected'),
      (error: unknown) => log.warn({ err: error }, 'garbage could not be collected'),
    )
  }
  const first = setTimeout(tidy, firstMs).unref()
  const every = setInterval(tidy, everyMs).unref()
  return async () => {
    clearTimeout(first)
    clearInterval(every)
    await under
  }
}
