import type { TenantDatabase } from '../context.ts'
import type { Keyring } from '../keyring.ts'
import { type InstallationSecrets, rotateInstallationKeys } from './installation-keys.ts'
import { countStaleOrgKeys, listInstallationKeys } from './store.ts'
import { rewrapOrgKeys } from './vault.ts'

export interface Rotated {
  /** Keys of the installation that another secret wrapped until now. */
  installation_keys: number
  new_key: boolean
  org_keys: number
  /** What is wrapped by an older key still: 0 but where another process holds it at this moment. */
  org_keys_left: number
}

/** The id of the key that takes over, or has. */
export const newestKey = async (system: TenantDatabase): Promise<number> =>
  (await listInstallationKeys(system)).at(-1)!.id

/** After it, the previous secret opens nothing any more. Broken off, it goes on where it was when it is run again. */
export async function rotateSecrets(
  system: TenantDatabase,
  keyring: Keyring,
  secrets: InstallationSecrets,
  options: { fresh: boolean },
): Promise<Rotated> {
  const { rewrapped, made } = await rotateInstallationKeys(system, secrets, options)
  await keyring.refresh()
  const newest = await newestKey(system)
  const org_keys = await rewrapOrgKeys(system, keyring, newest)
  const org_keys_left = await countStaleOrgKeys(system, newest)
  return { installation_keys: rewrapped, new_key: made, org_keys, org_keys_left }
}
