import { forgetExpired } from '../auth/account-store.ts'
import { forget } from '../auth/oauth/store.ts'
import type { Config } from '../config.ts'
import { makeCheckpointer } from '../core/audit/index.ts'
import { forgetUsage } from '../core/billing/index.ts'
import { collectGarbage } from '../core/garbage/index.ts'
import { type ExpiryPlace, warnOfExpiry } from '../core/keys/index.ts'
import { forgetLinks } from '../core/links/index.ts'
import { mailJob } from '../core/mail.ts'
import { finishPurges } from '../core/orgs/index.ts'
import { forgetRates } from './rate-store.ts'
import type { OpenServices } from './services.ts'

const firstMs = 60_000
const everyMs = 3_600_000
const checkpointMs = 60_000

/** What is done now and then. Several servers may do it at once; what fails keeps nothing else from being done. */
const chores: Record<string, (services: OpenServices, config: Config) => Promise<unknown>> = {
  garbage: ({ db, blobs }, config) => collectGarbage(db, blobs, config),
  accounts: ({ db }) => forgetExpired(db.system),
  oauth: ({ db }) => forget(db.system),
  rates: ({ db }) => forgetRates(db.system),
  usage: ({ db }) => forgetUsage(db.system),
  links: ({ db }) => forgetLinks(db.system),
  purges: ({ db, blobs, log }) => finishPurges(db, blobs, log),
  expiring: ({ db, keyring, publicUrl, queue }) => {
    const mail: ExpiryPlace['mail'] = (orgId, message, tx) =>
      queue.send('mail', mailJob(keyring, message), { orgId, tx })
    return warnOfExpiry({ db, publicUrl, mail })
  },
}

/** Does the chores every hour, and signs audit chains every minute and at the end, until it is stopped. */
export function keepTidy(services: OpenServices, config: Config): () => Promise<void> {
  let under: Promise<unknown> = Promise.resolve()
  const tidy = () => {
    under = Promise.all(
      Object.entries(chores).map(([chore, work]) =>
        work(services, config).then(
          (result) => services.log.info({ chore, result }, 'tidied'),
          (error: unknown) => services.log.warn({ err: error, chore }, 'could not be tidied; tried again in an hour'),
        ),
      ),
    )
  }
  const first = setTimeout(tidy, firstMs).unref()
  const every = setInterval(tidy, everyMs).unref()
  const checkpoint = makeCheckpointer(services)
  let signing: Promise<unknown> = Promise.resolve()
  const sign = () => {
    signing = checkpoint().catch((error: unknown) =>
      services.log.warn({ err: error }, 'audit chains could not be signed'),
    )
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
