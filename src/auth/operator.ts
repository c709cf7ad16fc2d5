import type { Services } from '../core/context.ts'
import { fail } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import { mailJob } from '../core/mail.ts'
import { installation, nobody, type Principal } from '../core/principal.ts'
import { appendAudit } from '../core/stages/audit.ts'
import { endAllOf } from './account-store.ts'
import * as letters from './letters.ts'

export interface SignedOut {
  people: number
  sessions: number
  apps: number
  second_factors: number
}

const operator: Principal = { ...nobody, kind: 'internal', name: 'the operator, at the database' }

/**
 * What whoever runs the installation does for a person, or for all, without a door: ends sessions and what apps may do,
 * and takes away a second factor that was lost. On record, and each person whose factor is gone is told.
 */
export async function signOutPeople(
  { db, queue, keyring }: Pick<Services, 'db' | 'queue' | 'keyring'>,
  { email, lostFactor }: { email: string | undefined; lostFactor: boolean },
): Promise<SignedOut> {
  return db.system.tx(async (tx) => {
    const { people, unfactored, ...ended } = await endAllOf(tx, email, lostFactor)
    if (email !== undefined && people === 0) fail('not_found', `Nobody has an account with the address ${email}.`)
    for (const address of unfactored)
      await queue.send('mail', mailJob(keyring, letters.secondFactorChanged(address, false)), {
        orgId: installation.id,
        tx,
      })
    await appendAudit(tx, {
      command: { name: lostFactor ? 'account.factorLost' : 'account.signedOut' },
      principal: operator,
      context: { door: 'cli', requestId: newId() },
      target: email ?? 'everybody',
      result: 'ok',
    })
    return { people, ...ended, second_factors: unfactored.length }
  })
}
