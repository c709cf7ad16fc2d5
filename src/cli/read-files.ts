import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandError, fail } from '../core/errors.ts'
import type { Text } from '../core/read-text.ts'
import type { BlobText } from './assets.ts'
import type { Terminal } from './terminal.ts'

/** Nothing that Molar takes as text is longer; a disk image named by mistake is refused before it is read. */
const largestFile = 16 * 1024 * 1024
const passedOver = new Set(['node_modules', '.git', 'dist'])

export interface SourceText {
  file: string
  content: string
  assets?: BlobText[]
}

export async function readPaths(value: Text, terminal: Terminal): Promise<Text> {
  if (typeof value === 'string') return readPath(value, terminal)
  const texts: string[] = []
  for (const path of value) texts.push(await readPath(path, terminal))
  return texts
}

/** A file's text, or standard input for `-`. Text of several lines is taken as it stands. */
export async function readPath(path: string, terminal: Terminal): Promise<string> {
  if (path === '-') return terminal.input()
  if (path.includes('\n')) return path
  const found = await stat(path).catch((cause: unknown) => unreadable(path, cause))
  if (found.isDirectory()) fail('bad_request', `${path} is a directory; this takes one file, or - for standard input.`)
  if (found.size > largestFile)
    fail('payload_too_large', `${path} has ${Math.round(found.size / 1e6)} MB; at most 16 MB are read.`)
  const content = await readFile(path, 'utf8').catch((cause: unknown) => unreadable(path, cause))
  return content.includes('\0') ? fail('validation_failed', `${path} is not text: it holds a NUL byte.`) : content
}

/** Files as they are named, and those of folders with this ending, in the order of their paths. */
export async function readSources(paths: readonly string[], ending: string, terminal: Terminal): Promise<SourceText[]> {
  const sources: SourceText[] = []
  for (const path of paths) {
    if (path === '-' || path.includes('\n')) sources.push({ file: 'stdin', content: await readPath(path, terminal) })
    else for (const file of await filesOf(path, ending)) sources.push(await readSource(file, terminal))
  }
  return sources
}

async function readSource(file: string, terminal: Terminal): Promise<SourceText> {
  const content = await readPath(file, terminal)
  const { assetsBeside } = await import('./assets.ts')
  const assets = await assetsBeside(file, content)
  return { file, content, ...(assets.length > 0 ? { assets } : {}) }
}

/** The path itself, or what a folder holds below it. The project file, whose name is the ending alone, is none of them. */
async function filesOf(path: string, ending: string): Promise<string[]> {
  const found = await stat(path).catch((cause: unknown) => unreadable(path, cause))
  if (!found.isDirectory()) return [path]
  const files = (await walk(path, ending, 0)).sort()
  return files.length > 0 ? files : fail('bad_request', `${path} holds no *${ending} file.`)
}

async function walk(folder: string, ending: string, depth: number): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => unreadable(folder, cause))
  const found: string[] = []
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isFile() && entry.name.endsWith(ending) && entry.name !== ending) found.push(path)
    if (entry.isDirectory() && !passedOver.has(entry.name) && depth < 16)
      found.push(...(await walk(path, ending, depth + 1)))
  }
  return found
}

function unreadable(path: string, cause: unknown): never {
  if (cause instanceof CommandError) throw cause
  const code = (cause as NodeJS.ErrnoException).code
  const why = code === 'ENOENT' ? `There is no file ${path}` : `${path} cannot be read (${code})`
  return fail('bad_request', `${why}. This takes a path, or - for standard input.`, { cause })
}
