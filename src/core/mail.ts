import type { Mail } from './context.ts'
import type { Keyring } from './keyring.ts'

/** What the `mail` queue carries. A mail may hold a link that opens an account, and jobs lie in the database as they are. */
export interface MailJob {
  sealed: string
}

export const mailJob = (keyring: Keyring, mail: Mail): MailJob => ({
  sealed: keyring.seal(JSON.stringify(mail), 'mail').toString('base64'),
})

export const openMail = (keyring: Keyring, { sealed }: MailJob): Mail =>
  JSON.parse(keyring.open(Buffer.from(sealed, 'base64'), 'mail')) as Mail
