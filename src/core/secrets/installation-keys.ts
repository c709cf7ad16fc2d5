import { randomBytes } from 'node:crypto'
import type { Queries, TenantDatabase } from '../context.ts'
import { fail } from '../errors.ts'
import { decryptBytes, encrypt, firstRoot, type Generation, secretId, wrappingKey } from '../keyring.ts'
import { type InstallationKeyRow, insertInstallationKey, listInstallationKeys, rewrapInstallationKey } from './store.ts'

export interface InstallationSecrets {
  /** MOLAR_SECRET. */
  current: string
  /** MOLAR_SECRET_PREVIOUS: secrets that may still wrap keys. */
  previous: readonly string[]
}

export interface InstallationKeys {
  /** All that are known here, by rising id. */
  generations(): readonly Generation[]
  refresh(): Promise<void>
  close(): void
}

const refreshMs = 30_000
/** A new key waits this long before it is used: by then every process has read it. */
const warmUpSeconds = 120

/** The installation's keys, made at the first start. Throws bad_request where none of the secrets opens one of them. */
export async function openInstallationKeys(
  system: Queries,
  secrets: InstallationSecrets,
  onError: (error: unknown) => void,
): Promise<InstallationKeys> {
  let known = (await listInstallationKeys(system)).map((row) => unwrap(row, secrets))
  const refresh = async () => {
    known = (await listInstallationKeys(system)).map((row) => unwrap(row, secrets))
  }
  if (known.length === 0) {
    await insertInstallationKey(system, { id: 1, ...wrap(1, firstRoot(secrets.current), secrets), warmUpSeconds: 0 })
    await refresh()
  }
  const timer = setInterval(() => void refresh().catch(onError), refreshMs).unref()
  return { generations: () => known, refresh, close: () => clearInterval(timer) }
}

/**
 * Wraps every key with the current secret and, where another one wrapped any, makes a new key: who knows the old secret
 * then knows nothing that is sealed or signed from now on. Answers how many keys there are, and whether one is new.
 */
export async function rotateInstallationKeys(
  system: TenantDatabase,
  secrets: InstallationSecrets,
  { fresh }: { fresh: boolean },
): Promise<{ keys: number; rewrapped: number; made: boolean }> {
  return system.tx(async (tx) => {
    const rows = await listInstallationKeys(tx, { lock: true })
    const stale = rows.filter((row) => row.secret_id !== secretId(secrets.current))
    for (const row of stale) {
      const { id, root } = unwrap(row, secrets)
      await rewrapInstallationKey(tx, { id, ...wrap(id, root, secrets) })
    }
    const made = stale.length > 0 || fresh
    const id = (rows.at(-1)?.id ?? 0) + 1
    if (id > 255) fail('conflict', 'There are 255 keys already; no more can be named.')
    if (made) await insertInstallationKey(tx, { id, ...wrap(id, randomBytes(32), secrets), warmUpSeconds })
    return { keys: rows.length + (made ? 1 : 0), rewrapped: stale.length, made }
  })
}

const about = (id: number) => `installation-key|${id}`

function wrap(id: number, root: Buffer, { current }: InstallationSecrets) {
  return { wrapped: encrypt(wrappingKey(current), root, about(id)), secretId: secretId(current) }
}

function unwrap(row: InstallationKeyRow, { current, previous }: InstallationSecrets): Generation {
  const secret =
    [current, ...previous].find((one) => secretId(one) === row.secret_id) ??
    fail(
      'bad_request',
      'The keys of this installation are wrapped by another MOLAR_SECRET than the one given. Give that one, or name it ' +
        'in MOLAR_SECRET_PREVIOUS beside the new one and run `molar secrets rotate`.',
    )
  const root = decryptBytes(wrappingKey(secret), row.wrapped, about(row.id))
  return { id: row.id, root, activeAt: Date.now() + row.active_in_ms }
}
