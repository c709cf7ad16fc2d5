import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Command } from '../../core/command.ts'
import { fail } from '../../core/errors.ts'
import { compileOrFail, compileScenario } from '../../core/scenarios/compiled.ts'
import type { StepPlan } from '../../core/scenarios/index.ts'
import { type Project, readProject } from '../../core/scenarios/language/index.ts'
import type { Carrier } from '../carrier.ts'
import { readSources, type SourceText } from '../read-files.ts'
import type { Terminal } from '../terminal.ts'

/** A scenario that is to run: a text to be stored first, or one that is stored already. */
export interface Wanted {
  slug: string
  plan: StepPlan
  source: SourceText | undefined
}

/** What one command of the registry is, by its name. */
export type Find = (name: string) => Command

/** The project file of this folder or the nearest above it. */
async function findProject(from: string): Promise<{ folder: string; project: Project } | undefined> {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const path = join(folder, '.molar.md')
    const found = await stat(path).catch(() => undefined)
    if (found?.isFile()) return { folder, project: readProject(await readFile(path, 'utf8')) }
    if (existsSync(join(folder, '.git')) || folder === dirname(folder)) return undefined
  }
}

export interface Gathered {
  wanted: Wanted[]
  project: Project | undefined
  /** Where the project file is, or the current folder. */
  folder: string
  /** Files and folders that scenarios were read from. */
  paths: string[]
}

/** Reads and compiles what was named: every problem of every file is told before anything runs. */
export async function gather(
  names: readonly string[],
  tags: readonly string[],
  cwd: string,
  carrier: Carrier,
  find: Find,
  terminal: Terminal,
): Promise<Gathered> {
  const found = await findProject(cwd)
  const folder = join(found?.folder ?? cwd, found?.project.scenarios_directory ?? '.molar/scenarios')
  const named = (names.length > 0 ? names : existsSync(folder) ? [folder] : []).map((name) => ownFile(name, folder))
  const paths = named.filter((name) => name === '-' || existsSync(name))
  const slugs = named.filter((name) => !paths.includes(name))
  for (const slug of slugs)
    if (!/^[a-z0-9-]{1,64}$/.test(slug))
      fail('bad_request', `There is no file or folder ${slug}, and it is not a scenario's slug either.`)
  const sources = await readSources(paths, '.molar.md', terminal)
  const compiled = compileOrFail(sources.map(({ file, content }) => ({ file, content })))
  const wanted: Wanted[] = compiled.map(({ plan }, place) => ({
    slug: plan.scenario.slug,
    plan,
    source: sources[place],
  }))
  const stored = named.length === 0 && tags.length > 0 ? await slugsOf(tags, carrier, find) : slugs
  for (const slug of stored) wanted.push(await fetchStored(slug, carrier, find))
  const tagged = wanted.filter(({ plan }) => tags.length === 0 || tags.some((tag) => plan.scenario.tags.includes(tag)))
  if (tagged.length === 0) fail('bad_request', nothing(tags, wanted.length))
  return { wanted: tagged, project: found?.project, folder: found?.folder ?? cwd, paths }
}

function nothing(tags: readonly string[], among: number): string {
  if (tags.length > 0 && among > 0) return `None of ${among} scenarios has the tag ${tags.join(' or ')}.`
  return 'There is nothing to run: name files, folders or slugs, or run molar init to begin with .molar/scenarios.'
}

/** A slug is the project's own scenario of that name before it is a stored one: the file is newer. */
function ownFile(name: string, folder: string): string {
  const file = join(folder, `${name}.molar.md`)
  return existsSync(name) || !existsSync(file) ? name : file
}

async function fetchStored(slug: string, carrier: Carrier, find: Find): Promise<Wanted> {
  const { content } = (await carrier.carry(find('scenarios.get'), { id: slug })) as { content: string }
  const result = compileScenario(content)
  return result.ok
    ? { slug: result.plan.scenario.slug, plan: result.plan, source: undefined }
    : fail(
        'scenario_invalid',
        `The stored scenario ${slug} does not compile here: ${result.problems[0]?.message ?? ''}`,
      )
}

async function slugsOf(tags: readonly string[], carrier: Carrier, find: Find): Promise<string[]> {
  const slugs = new Set<string>()
  for (const tag of tags) {
    let cursor: string | null = null
    do {
      const page = (await carrier.carry(find('scenarios.list'), {
        tag,
        limit: 200,
        fields: ['slug'],
        ...(cursor ? { cursor } : {}),
      })) as { items: { slug: string }[]; next_cursor: string | null }
      for (const { slug } of page.items) slugs.add(slug)
      cursor = page.next_cursor
    } while (cursor)
  }
  return [...slugs]
}
