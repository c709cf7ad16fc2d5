import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, isAbsolute, relative, resolve } from 'node:path'
import type { Answer } from '../core/call.ts'
import { fail } from '../core/errors.ts'
import type { JsonSchema } from '../core/schema.ts'

export interface Written {
  path: string
  status: 'written' | 'unchanged'
}

/** The fields of an answer that are files to be written. */
export const fileFields = (schema: JsonSchema): string[] =>
  Object.entries(schema.properties ?? {})
    .filter(([, field]) => field['x-molar-files'] !== undefined)
    .map(([name]) => name)

/**
 * Writes an answer's files below `folder`, or beside the files that were given. A path that leads elsewhere is refused,
 * for a server may have chosen it; so is one where something else stands, unless it is derived (a spec) or forced.
 */
export async function writeFiles(
  answer: Answer,
  fields: readonly string[],
  options: { folder: string; beside: readonly string[]; force: boolean },
): Promise<Written[]> {
  const files = fields.flatMap((field) => (answer[field] as { file?: string; content: string }[] | undefined) ?? [])
  const allowed = [options.folder, ...options.beside.map((path) => dirname(resolve(path)))]
  const planned = files.map(({ file = '', content }) => ({ path: resolve(options.folder, file), content }))
  for (const { path } of planned) {
    if (!allowed.some((folder) => isBelow(resolve(folder), path)))
      fail('forbidden', `${path} lies outside ${options.folder}, so it is not written.`)
  }
  const written: Written[] = []
  for (const { path, content } of planned) written.push({ path, status: await writeOne(path, content, options.force) })
  return written
}

async function writeOne(path: string, content: string, force: boolean): Promise<Written['status']> {
  const there = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') fail('bad_request', `${path} cannot be written (${error.code}).`, { cause: error })
  })
  if (there === content) return 'unchanged'
  if (there !== undefined && !force && !path.endsWith('.spec.ts'))
    fail('conflict', `${path} is there already. --force writes over it.`)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
  return 'written'
}

function isBelow(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way !== '' && !way.startsWith('..') && !isAbsolute(way)
}
