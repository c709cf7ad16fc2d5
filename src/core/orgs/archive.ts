import { createHash } from 'node:crypto'
import type { BlobStore } from '../blobs/index.ts'
import type { Queries } from '../context.ts'
import {
  type ExportTable,
  findExportBlobs,
  findExportOrg,
  findExportPeople,
  findExportRows,
  findExportTables,
  stillThere,
} from './export-store.ts'
import { tarEnd, tarHeader, tarPadding } from './tar.ts'

const pageRows = 200
/** Rows of a table are files of about this size, so that memory does not grow with the org. */
const partBytes = 4 << 20

interface Manifest {
  format: 'molar-export/1'
  org_id: string
  generated_at: string
  files: { name: string; bytes: number; sha256: string; rows?: number }[]
  /** Blobs are files named by their own SHA-256. */
  blobs: { count: number; bytes: number; missing: string[] }
  withheld: string
}

/**
 * All that an org owns, as a tar file piece by piece: org.json, people.ndjson, tables/<table>-0001.ndjson …, blobs/<sha256>,
 * and at the end manifest.json with the hash of each. What changes meanwhile may be in it or not; of an
 * org that ends meanwhile there is no manifest and no end.
 */
export async function* exportArchive(db: Queries, blobs: BlobStore, orgId: string): AsyncGenerator<Buffer> {
  const manifest: Manifest = {
    format: 'molar-export/1',
    org_id: orgId,
    generated_at: new Date().toISOString(),
    files: [],
    blobs: { count: 0, bytes: 0, missing: [] },
    withheld:
      'Values of secrets, fingerprints of keys and stored answers: their names and times are here, they are not.',
  }
  const file = function* (name: string, text: string, rows?: number): Generator<Buffer> {
    const bytes = Buffer.from(text)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    manifest.files.push({ name, bytes: bytes.length, sha256, ...(rows !== undefined && { rows }) })
    yield* [tarHeader(name, bytes.length), bytes, tarPadding(bytes.length)]
  }
  const lines = (all: string[]) => all.map((line) => `${line}\n`).join('')

  yield* file('org.json', await findExportOrg(db))
  const people = await findExportPeople(db)
  yield* file('people.ndjson', lines(people), people.length)
  for (const table of await findExportTables(db)) {
    let part = 0
    for await (const rows of partsOf(db, table))
      yield* file(`tables/${table.name}-${String(++part).padStart(4, '0')}.ndjson`, lines(rows), rows.length)
  }
  yield* blobFiles(db, blobs, orgId, manifest)
  if (!(await stillThere(db))) throw new Error('The org ended while it was exported')
  yield* file('manifest.json', JSON.stringify(manifest, null, 2))
  yield tarEnd()
}

/** The rows of a table, as many at once as fit into one file; at least one part, so that an empty table is seen to be. */
async function* partsOf(db: Queries, table: ExportTable): AsyncGenerator<string[]> {
  let part: string[] = []
  let bytes = 0
  let parts = 0
  for (let after: string[] | undefined; ; ) {
    const rows = await findExportRows(db, table, after, pageRows)
    for (const { line } of rows) {
      part.push(line)
      bytes += line.length
      if (bytes < partBytes) continue
      yield part
      parts++
      part = []
      bytes = 0
    }
    after = rows.at(-1)?.key
    if (rows.length < pageRows) break
  }
  if (part.length > 0 || parts === 0) yield part
}

async function* blobFiles(
  db: Queries,
  blobs: BlobStore,
  orgId: string,
  { blobs: sum }: Manifest,
): AsyncGenerator<Buffer> {
  for (let after = ''; ; ) {
    const page = await findExportBlobs(db, after, pageRows)
    for (const sha256 of page) {
      const size = await blobs.size(orgId, sha256)
      const stream = size === undefined ? undefined : await blobs.get(orgId, sha256)
      if (size === undefined || !stream) {
        sum.missing.push(sha256)
        continue
      }
      yield tarHeader(`blobs/${sha256}`, size)
      let sent = 0
      for await (const chunk of stream) {
        sent += (chunk as Buffer).length
        yield chunk as Buffer
      }
      if (sent !== size) throw new Error(`The blob ${sha256} has ${sent} bytes and should have ${size}`)
      yield tarPadding(size)
      sum.count++
      sum.bytes += size
    }
    if (page.length < pageRows) return
    after = page.at(-1)!
  }
}
