import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Content-addressed bytes of an org. Written once, never changed. */
export interface BlobStore {
  /** Stores the bytes and answers their SHA-256, hex. Storing the same bytes again changes nothing. */
  put(orgId: string, bytes: Uint8Array): Promise<string>
  /** The file's path; undefined where these bytes are not. */
  find(orgId: string, sha256: string): Promise<string | undefined>
  /** Throws when nothing can be written now. */
  check(): Promise<void>
}

/** Blobs as files under `root`: root/org/ab/abcdef…, mode 0600. */
export function fileBlobs(root: string): BlobStore {
  const pathOf = (orgId: string, sha256: string) => join(root, orgId, sha256.slice(0, 2), sha256)
  return {
    async put(orgId, bytes) {
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      const path = pathOf(orgId, sha256)
      if (await exists(path)) return sha256
      await writeWhole(path, bytes)
      return sha256
    },
    async find(orgId, sha256) {
      const path = pathOf(orgId, sha256)
      return (await exists(path)) ? path : undefined
    },
    async check() {
      const probe = join(root, `.probe-${randomUUID()}`)
      await writeWhole(probe, Buffer.from('ok'))
      await rm(probe)
    },
  }
}

/** Under a name of its own first, synced, then renamed: a reader or a crash never meets half a blob. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${randomUUID()}`
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } catch (error) {
    await file.close()
    await rm(temporary, { force: true })
    throw error
  }
  await file.close()
  await rename(temporary, path)
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )
