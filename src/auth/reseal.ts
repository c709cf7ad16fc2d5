import type { TenantDatabase } from '../core/context.ts'
import type { Keyring } from '../core/keyring.ts'
import { resealFactors } from './account-store.ts'
import { resealClients } from './oauth/clients.ts'

export interface Resealed {
  second_factors: number
  apps: number
}

/** Seals under the newest key what of people and apps is sealed and lasts. A few at a time: broken off, it may be begun again. */
export async function resealPeople(system: TenantDatabase, keyring: Keyring, newest: number): Promise<Resealed> {
  const done: Resealed = { second_factors: 0, apps: 0 }
  for (let after: string | undefined; ; ) {
    const { last, resealed } = await system.tx((tx) => resealFactors(tx, keyring, newest, after))
    done.second_factors += resealed
    if (last === undefined) break
    after = last
  }
  for (let count = 1; count > 0; done.apps += count) count = await system.tx((tx) => resealClients(tx, keyring, newest))
  return done
}
