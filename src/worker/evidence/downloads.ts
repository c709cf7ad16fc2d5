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

/** Reads every download of a context as it happens, within limits. `settle` waits for those under way, 5 s at most. */
export function recordDownloads(context: BrowserContext): { settle(): Promise<DownloadedFile[]> } {
  const under: { name: string; file: Promise<DownloadedFile> }[] = []
  let total = 0

  async function read(download: Download, name: string): Promise<DownloadedFile> {
    if (under.length >= mostFiles) return { name, why: `more than ${mostFiles} downloads` }
    try {
      const parts: Buffer[] = []
      let size = 0
      for await (const part of await download.createReadStream()) {
        size += (part as Buffer).length
        total += (part as Buffer).length
        if (size > largestFile || total > largestTotal) return { name, why: 'too large to be kept' }
        parts.push(part as Buffer)
      }
      return { name, bytes: Buffer.concat(parts) }
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

const plainName = (name: string): string => name.replace(/[^\w.-]+/g, '_').slice(-100) || 'file'
