import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { newScenario } from '../../core/scenarios/language/index.ts'
import { type EditorName, editors } from './editors.ts'
import { addEntry, readJsonc } from './jsonc.ts'

/** What became of one file. `by_hand`: it could not be read, so it was left alone. */
export interface Outcome {
  path: string
  status: 'written' | 'extended' | 'kept' | 'by_hand'
  why: string
}

const ignored = '.molar/scenarios/*.spec.ts'

/** Sets a project up; what is there already stays as it is. */
export async function initProject(
  folder: string,
  options: { baseUrl: string | undefined; editors: readonly EditorName[] },
): Promise<Outcome[]> {
  const baseUrl = options.baseUrl ?? 'http://localhost:3000'
  const outcomes = [
    await writeNew(folder, '.molar.md', await projectFile(folder, baseUrl), 'names the application'),
    await firstScenario(folder, baseUrl),
    await ignoreSpecs(folder),
  ]
  for (const name of options.editors) outcomes.push(await addServer(folder, name))
  return outcomes
}

async function writeNew(folder: string, path: string, content: string, why: string): Promise<Outcome> {
  const target = join(folder, path)
  await mkdir(dirname(target), { recursive: true })
  try {
    await writeFile(target, content, { flag: 'wx' })
    return { path, status: 'written', why }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return { path, status: 'kept', why }
  }
}

async function projectFile(folder: string, baseUrl: string): Promise<string> {
  const json = readJsonc((await readText(join(folder, 'package.json'))) ?? '{}')
  const name = typeof json?.name === 'string' && json.name !== '' ? json.name : basename(resolve(folder))
  return `# ${name}\n\nbase_url: ${baseUrl}\n\n## Scenarios\n\n- home: the first page opens\n`
}

async function firstScenario(folder: string, baseUrl: string): Promise<Outcome> {
  const path = '.molar/scenarios'
  const there = await readdir(join(folder, path)).catch(() => [])
  const why = 'holds the scenarios'
  if (there.some((name) => name.endsWith('.molar.md'))) return { path: `${path}/`, status: 'kept', why }
  return writeNew(
    folder,
    `${path}/home.molar.md`,
    newScenario({ slug: 'home', title: 'Home', base_url: baseUrl }),
    'is a first scenario, to be filled with steps',
  )
}

async function ignoreSpecs(folder: string): Promise<Outcome> {
  const path = '.gitignore'
  const why = 'leaves compiled specs out'
  const text = await readText(join(folder, path))
  if (text === undefined) return writeNew(folder, path, `${ignored}\n`, why)
  if (text.split(/\r?\n/).some((line) => [ignored, `/${ignored}`].includes(line.trim())))
    return { path, status: 'kept', why }
  const line = text.includes('\r\n') ? '\r\n' : '\n'
  await writeFile(join(folder, path), `${text}${text === '' || text.endsWith('\n') ? '' : line}${ignored}${line}`)
  return { path, status: 'extended', why }
}

async function addServer(folder: string, name: EditorName): Promise<Outcome> {
  const { title, file: path, members, entry } = editors[name]
  const why = `tells ${title} of Molar`
  const target = join(folder, path)
  const text = await readText(target)
  if (text === undefined || text.trim() === '') {
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, `${JSON.stringify({ [members]: { molar: entry } }, null, 2)}\n`)
    return { path, status: 'written', why }
  }
  const there = readJsonc(text)?.[members]
  if (typeof there === 'object' && there !== null && 'molar' in there) return { path, status: 'kept', why }
  const added = addEntry(text, members, 'molar', entry)
  if (added === undefined) {
    return {
      path,
      status: 'by_hand',
      why: `is not JSON as ${title} reads it; add this to "${members}": "molar": ${JSON.stringify(entry)}`,
    }
  }
  await writeFile(target, added)
  return { path, status: 'extended', why }
}

const readText = (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return undefined
  })
