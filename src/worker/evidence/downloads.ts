import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import type { BrowserContext, Download, Page } from 'playwright-core'
import { within } from './deadline.ts'

const largestFile = 20 * 2 ** 20
const largestTotal = 100 * 2 ** 20
const mostFiles = 50

/** A file that a page gave, unscrubbed. `why` says what is missing of it. */
export interface DownloadedFile {
  name: string
  bytes?: Buffer
  why?: string
}

/** Reads every download of a context as it happens, within limits. `settle` waits for those under way, 5 s at most. `browserUid` is who writes them. */
export function recordDownloads(
  context: BrowserContext,
  browserUid: number | undefined,
): { settle(): Promise<DownloadedFile[]> } {
  const under: { name: string; file: Promise<DownloadedFile> }[] = []
  let total = 0

  async function read(download: Download, name: string): Promise<DownloadedFile> {
    if (under.length >= mostFiles) return { name, why: `more than ${mostFiles} downloads` }
    try {
      const bytes = await readOwn(await download.path(), browserUid, (size) => {
        total += size
        return size <= largestFile && total <= largestTotal
      })
      return bytes ? { name, bytes } : { name, why: 'too large to be kept' }
    } catch {
      return { name, why: 'it did not arrive' }
    }
  }

  function onPage(page: Page): void {
    page.on('download', (download) => {
      const name = `${String(under.length + 1).padStart(3, '0')}-${plainName(download.suggestedFilename())}`
      under.push({ name, file: read(download, name) })
    })
  }
  for (const page of context.pages()) onPage(page)
  context.on('page', onPage)

  return {
    async settle() {
      context.off('page', onPage)
      return Promise.all(
        under.map(async ({ name, file }) => (await within(5000, file)) ?? { name, why: 'it did not end in time' }),
      )
    },
  }
}

/**
 * The browser's process, which a page may have taken over, says where the file is, and could put a link there: only plain
 * files of that process's own user are read. Undefined where its size does not suit.
 */
async function readOwn(
  path: string,
  uid: number | undefined,
  suits: (size: number) => boolean,
): Promise<Buffer | undefined> {
  const { O_RDONLY, O_NONBLOCK = 0, O_NOFOLLOW = 0 } = constants
  const file = await open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW)
  try {
    const facts = await file.stat()
    if (!facts.isFile() || (uid !== undefined && facts.uid !== uid)) throw new Error('It is not of the browser.')
    if (!suits(facts.size)) return undefined
    // No more than was weighed, should it grow.
    const { buffer, bytesRead } = await file.read(Buffer.alloc(facts.size), 0, facts.size, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

const plainName = (name: string): string => name.replace(/[^\w.-]+/g, '_').slice(-100) || 'file'
