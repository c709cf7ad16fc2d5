import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { Database } from '../core/context.ts'
import { newId, randomBase62 } from '../core/ids.ts'
import type { Keyring } from '../core/keyring.ts'
import { insertKey, isWellFormedToken, newToken, tokenPrefix } from '../core/keys/index.ts'
import { scopeNames } from '../core/principal.ts'
import { ensureOrg, findPrincipal } from './store.ts'

/** The server's own secret, from which every other key is derived: made at first start, mode 0600. */
export const localSecret = (home: string): Promise<string> => readOrMake(join(home, 'secret'), () => randomBase62(43))

/**
 * The local owner's key: made at first start with the org `local` and its owner, kept in MOLAR_HOME with mode 0600.
 * A key file whose key the database does not know (a reset database) is made known again.
 */
export async function localOwnerKey(home: string, db: Database, keyring: Keyring): Promise<string> {
  const token = (await readOrMake(join(home, 'key'), newToken)).trim()
  if (!isWellFormedToken(token))
    throw new Error(
      `${join(home, 'key')} does not hold a Molar key. Remove the file, and the next start makes a new one.`,
    )
  const fingerprint = keyring.fingerprint(token)
  if (await findPrincipal(db.system, fingerprint)) return token
  await db.system.tx(async (tx) => {
    const name = userInfoName()
    const ids = await ensureOrg(
      tx,
      { id: newId(), slug: 'local', name: 'Local' },
      { id: newId(), email: `${name}@localhost`, name },
    )
    await insertKey(tx, {
      id: newId(),
      kind: 'local_owner',
      orgId: ids.org_id,
      name: 'local owner',
      prefix: tokenPrefix(token),
      fingerprint,
      scopes: scopeNames,
      role: 'owner',
      userId: ids.user_id,
      expiresAt: null,
    })
  })
  return token
}

/** Two first starts at once agree: the file appears whole, by a hard link that only one of them can make. */
async function readOrMake(path: string, make: () => string): Promise<string> {
  const found = await readFile(path, 'utf8').catch(absent)
  if (found !== undefined) return found
  await mkdir(join(path, '..'), { recursive: true, mode: 0o700 })
  const draft = `${path}.${newId()}`
  await writeFile(draft, make(), { mode: 0o600 })
  await link(draft, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  await rm(draft)
  return readFile(path, 'utf8')
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

function userInfoName(): string {
  try {
    return userInfo().username
  } catch {
    return 'owner' // a uid without a passwd entry
  }
}
