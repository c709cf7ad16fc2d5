import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Transporter } from 'nodemailer'
import type { Logger } from 'pino'
import type { Mail } from '../../core/context.ts'

/** Sends one mail. `id` is the same for each try, so that a mail that came twice is known as one. */
export type Deliver = (mail: Mail, id: string) => Promise<void>

export interface MailOptions {
  /** smtp:// or smtps://, with user and password where the server wants them. */
  smtpUrl: string | undefined
  from: string
  home: string
  log: Logger
}

export function openMail({ smtpUrl, from, home, log }: MailOptions): Deliver {
  return smtpUrl === undefined ? toOutbox(join(home, 'outbox'), from, log) : bySmtp(smtpUrl, from)
}

function bySmtp(url: string, from: string): Deliver {
  const limits = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000 }
  let opened: Promise<Transporter> | undefined
  const open = async () => (await import('nodemailer')).createTransport({ url, ...limits }, { from })
  const domain = /@([\w.-]+)/.exec(from)?.[1] ?? 'localhost'
  return async ({ to, subject, text }, id) => {
    opened ??= open()
    const transport = await opened
    await transport.sendMail({
      to: { name: '', address: to }, // never read as a list of addresses
      subject,
      text,
      messageId: `<${id}@${domain}>`,
      headers: { 'auto-submitted': 'auto-generated' },
    })
  }
}

/** Without SMTP a mail becomes a file that its reader alone can open. */
function toOutbox(folder: string, from: string, log: Logger): Deliver {
  return async ({ to, subject, text }, id) => {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const path = join(folder, `${new Date().toISOString().replaceAll(':', '-')} ${id}.eml`)
    const head = {
      From: from,
      To: to,
      Subject: subject,
      Date: new Date().toUTCString(),
      'Message-ID': `<${id}@localhost>`,
    }
    const lines = Object.entries(head).map(([name, value]) => `${name}: ${value.replaceAll(/[\r\n]+/g, ' ')}`)
    await writeFile(path, `${lines.join('\n')}\n\n${text}`, { mode: 0o600 })
    log.info({ path }, 'no MOLAR_SMTP_URL: a mail lies in the outbox')
  }
}
