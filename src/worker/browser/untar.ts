import { chmod, writeFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { openDirectory } from './reach.ts'

const block = 512

/** Unpacks plain files and folders of a ustar archive held in memory. Throws on a name that would leave `directory`. */
export async function untar(archive: Buffer, directory: string): Promise<void> {
  let offset = 0
  while (offset + block <= archive.length) {
    const name = field(archive, offset, 100)
    if (name === '') return
    const size = Number.parseInt(field(archive, offset + 124, 12), 8)
    const kind = String.fromCharCode(archive[offset + 156] ?? 0)
    const start = offset + block
    if (kind === '5') await openDirectory(inside(directory, name))
    else if (kind === '0' || kind === '\0')
      await writeEntry(inside(directory, name), archive.subarray(start, start + size))
    offset = start + Math.ceil(size / block) * block
  }
}

function field(archive: Buffer, offset: number, length: number): string {
  return archive
    .toString('utf8', offset, offset + length)
    .replace(/\0.*$/s, '')
    .trim()
}

function inside(directory: string, name: string): string {
  const path = normalize(join(directory, name))
  if (!path.startsWith(normalize(directory))) throw new Error(`The archive names a file outside its folder: ${name}`)
  return path
}

async function writeEntry(path: string, content: Buffer): Promise<void> {
  await openDirectory(dirname(path))
  await writeFile(path, content)
  await chmod(path, 0o644)
}
