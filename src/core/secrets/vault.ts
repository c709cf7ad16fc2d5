import { randomBytes } from 'node:crypto'
import type { Queries, TenantDatabase } from '../context.ts'
import { decrypt, encrypt, type Keyring, unseal } from '../keyring.ts'
import * as store from './store.ts'

// Envelope encryption: a value is sealed under its org's data key, and that one under a key of the installation.

const keyAbout = (orgId: string) => `${orgId}|org-key`
const valueAbout = (orgId: string, name: string, version: number) => `${orgId}|${name}|${version}`

/** Stores a value that from here on only runs of this org can read. */
export async function putSecret(
  tx: Queries,
  keyring: Keyring,
  orgId: string,
  name: string,
  value: string,
): Promise<store.SecretRow> {
  const key = await ensureOrgKey(tx, keyring, orgId)
  const version = await store.nextVersion(tx, name)
  return store.upsertSecret(tx, { orgId, name, version, sealed: encrypt(key, value, valueAbout(orgId, name, version)) })
}

/** The values of those of these secrets that the org has. */
async function readSecrets(
  db: Queries,
  keyring: Keyring,
  orgId: string,
  names: readonly string[],
): Promise<Record<string, string>> {
  if (names.length === 0) return {}
  const rows = await store.findSecrets(db, names)
  if (rows.length === 0) return {}
  const wrapped = (await store.findOrgKey(db)) ?? lost(orgId)
  const key = Buffer.from(await unseal(keyring, wrapped, keyAbout(orgId)), 'base64')
  return Object.fromEntries(
    rows.map(({ name, version, sealed }) => [name, decrypt(key, sealed, valueAbout(orgId, name, version))]),
  )
}

export interface SecretSources {
  db: Queries
  keyring: Keyring
  orgId: string
  /** Of the environment. */
  localSecrets: Record<string, string>
  /** With the run itself. */
  given: Record<string, string>
}

/** Values of these names: what was given with the run over what the org has stored over the environment's. */
export async function resolveSecrets(names: readonly string[], from: SecretSources): Promise<Record<string, string>> {
  const wanted = [...new Set(names)]
  const stored = await readSecrets(
    from.db,
    from.keyring,
    from.orgId,
    wanted.filter((name) => from.given[name] === undefined),
  )
  const all = { ...from.localSecrets, ...stored, ...from.given }
  return Object.fromEntries(wanted.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]])))
}

/** Which of these names would have no value. */
export async function missingSecrets(
  names: readonly string[],
  from: Pick<SecretSources, 'db' | 'localSecrets' | 'given'>,
): Promise<string[]> {
  const open = names.filter((name) => from.given[name] === undefined && from.localSecrets[name] === undefined)
  if (open.length === 0) return []
  const stored = await store.findSecretNames(from.db, open)
  return open.filter((name) => !stored.has(name))
}

/** Wraps the data keys that an older key of the installation wraps; a few at a time, so it may be broken off and begun again. */
export async function rewrapOrgKeys(system: TenantDatabase, keyring: Keyring, newest: number): Promise<number> {
  for (let count = 0; ; ) {
    const done = await system.tx(async (tx) => {
      const stale = await store.lockStaleOrgKeys(tx, newest, 100)
      for (const { org_id, wrapped } of stale) {
        const key = await unseal(keyring, wrapped, keyAbout(org_id))
        await store.rewrapOrgKey(tx, org_id, keyring.sealUnder(newest, key, keyAbout(org_id)))
      }
      return stale.length
    })
    count += done
    if (done === 0) return count
  }
}

async function ensureOrgKey(tx: Queries, keyring: Keyring, orgId: string): Promise<Buffer> {
  const fresh = randomBytes(32).toString('base64')
  await store.insertOrgKey(tx, orgId, keyring.seal(fresh, keyAbout(orgId)))
  const wrapped = (await store.findOrgKey(tx)) ?? lost(orgId)
  return Buffer.from(await unseal(keyring, wrapped, keyAbout(orgId)), 'base64')
}

function lost(orgId: string): never {
  throw new Error(`The data key of the org ${orgId} is gone, and with it what was sealed under it`)
}
