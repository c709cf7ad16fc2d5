import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { BlobStore } from './blob-store.ts'

const isHash = (name: string) => /^[0-9a-f]{64}$/.test(name)

/** Blobs as files under `root`: root/org/ab/abcdef…, mode 0600. */
export function fileBlobs(root: string): BlobStore {
  const pathOf = (orgId: string, sha256: string) => join(root, orgId, sha256.slice(0, 2), sha256)
  return {
    presigns: false,
    async put(orgId, bytes) {
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      const path = pathOf(orgId, sha256)
      // A file that is there gets today's date, or goes with what is thrown away just now: then it is written anew.
      const now = new Date()
      if (!(await found(utimes(path, now, now).then(() => true)))) await writeWhole(path, bytes)
      return sha256
    },
    size: async (orgId, sha256) => (await found(stat(pathOf(orgId, sha256))))?.size,
    async get(orgId, sha256, range) {
      const path = pathOf(orgId, sha256)
      return (await found(stat(path))) && createReadStream(path, range)
    },
    async link(orgId, sha256) {
      const path = pathOf(orgId, sha256)
      return (await found(stat(path))) && pathToFileURL(path).href
    },
    async delete(orgId, sha256, storedBefore) {
      const path = pathOf(orgId, sha256)
      const facts = storedBefore && (await found(stat(path)))
      if (facts && facts.mtime >= storedBefore) return false
      await rm(path, { force: true })
      return true
    },
    deleteAll: (orgId) => rm(join(root, orgId), { recursive: true, force: true }),
    async *list(orgId) {
      for (const folder of (await found(readdir(join(root, orgId)))) ?? [])
        for (const sha256 of ((await found(readdir(join(root, orgId, folder)))) ?? []).filter(isHash)) {
          const facts = await found(stat(pathOf(orgId, sha256)))
          if (facts) yield { sha256, size: facts.size, storedAt: facts.mtime }
        }
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
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** What the file system answers, or undefined where there is no such file. */
const found = <Result>(work: Promise<Result>): Promise<Result | undefined> =>
  work.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  })
