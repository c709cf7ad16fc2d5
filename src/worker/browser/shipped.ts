import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { chmod, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { brotliDecompress, createBrotliDecompress } from 'node:zlib'
import { openDirectory, reachableCache } from './reach.ts'
import { untar } from './untar.ts'

/** A browser unpacked from npm: its executable, and the folder of the libraries that a bare machine lacks. */
export interface ShippedBrowser {
  path: string
  version: string
  libraryPath: string
}

const unbrotli = promisify(brotliDecompress)
const machines: Record<string, number> = { x64: 0x3e, arm64: 0xb7 }

/** Where npm put the optional package, if it did: its `bin` folder and version. */
export async function locateShipped(): Promise<{ bin: string; version: string } | undefined> {
  if (process.platform !== 'linux') return undefined
  try {
    let root = dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium'))
    while (!existsSync(join(root, 'package.json')) || !existsSync(join(root, 'bin'))) {
      if (dirname(root) === root) return undefined
      root = dirname(root)
    }
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
    const nested = join(root, 'bin', process.arch)
    return { bin: existsSync(nested) ? nested : join(root, 'bin'), version: manifest.version }
  } catch {
    return undefined
  }
}

/**
 * Unpacks the npm-shipped Chromium once a version, into a folder of ours. The package's own code is never run: it unpacks
 * to fixed names in /tmp, where anyone could have put a file first, and its arguments turn the sandbox off.
 */
export async function unpackShipped(cacheDirectory: string): Promise<ShippedBrowser | undefined> {
  const found = await locateShipped()
  if (!found || (await elfMachine(join(found.bin, 'chromium.br'))) !== machines[process.arch]) return undefined
  const home = join(await reachableCache(cacheDirectory), `npm-${found.version}-${process.arch}`)
  if (!existsSync(join(home, 'chromium'))) await unpackOnce(home, found.bin)
  return { path: join(home, 'chromium'), version: found.version, libraryPath: join(home, 'lib') }
}

const underWay = new Map<string, Promise<void>>()

/** Two of this process at once would write into one folder, and each takes seconds of a processor. */
function unpackOnce(home: string, bin: string): Promise<void> {
  const work = underWay.get(home) ?? unpackTo(home, bin).finally(() => underWay.delete(home))
  underWay.set(home, work)
  return work
}

async function unpackTo(home: string, bin: string): Promise<void> {
  const half = `${home}.${process.pid}.${Date.now()}`
  await openDirectory(half)
  try {
    for (const archive of ['al2023', 'swiftshader', 'fonts']) {
      await untar(await unbrotli(await readFile(join(bin, `${archive}.tar.br`))), half)
    }
    await writeFile(join(half, 'fonts.conf'), fontsConf(home))
    const executable = join(half, 'chromium')
    await pipeline(
      createReadStream(join(bin, 'chromium.br')),
      createBrotliDecompress({ chunkSize: 2 ** 21 }),
      createWriteStream(executable),
    )
    await chmod(executable, 0o755)
    await rename(half, home)
  } catch (cause) {
    await rm(half, { recursive: true, force: true })
    // Another process may have unpacked the same version first: its copy is as good.
    if (!existsSync(join(home, 'chromium'))) throw cause
  }
}

function fontsConf(home: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${home}/fonts</dir><dir>/usr/share/fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>
`
}

/** The e_machine field of a Brotli-packed ELF file: which processor it is for. */
async function elfMachine(packed: string): Promise<number | undefined> {
  if (!existsSync(packed)) return undefined
  const source = createReadStream(packed)
  const plain = source.pipe(createBrotliDecompress({ chunkSize: 4096 }))
  try {
    for await (const chunk of plain as AsyncIterable<Buffer>)
      return chunk.length >= 20 ? chunk.readUInt16LE(18) : undefined
  } finally {
    source.destroy()
  }
  return undefined
}
