import type { Logger } from 'pino'
import type { Keyring } from '../../core/keyring.ts'
import { type MailJob, openMail } from '../../core/mail.ts'
import type { Queue, Worker } from '../../db/index.ts'
import type { Deliver } from './transport.ts'

/** Sends what the `mail` queue holds. A try that failed is made again, later each time. */
export const deliverMail = (queue: Queue, keyring: Keyring, deliver: Deliver, log: Logger): Promise<Worker> =>
  queue.work<MailJob>('mail', { slots: 4 }, async (job) => {
    const mail = openMail(keyring, job.data)
    try {
      await deliver(mail, job.id)
    } catch (error) {
      // Not the address, nor the text: it may hold a link.
      log.warn(
        { job: job.id, reason: error instanceof Error ? error.message : String(error) },
        'a mail could not be sent',
      )
      if (!isRefused(error)) throw error
    }
  })

/** RFC 5321, 4.2.1: what a server answers with 5yz, it will answer again. */
const isRefused = (error: unknown): boolean => {
  const code = (error as { responseCode?: number }).responseCode
  return code !== undefined && code >= 500
}
