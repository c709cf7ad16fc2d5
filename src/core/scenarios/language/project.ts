import { readBlocks } from './blocks.ts'
import { nearest } from './nearest.ts'
import { tooMuch } from './nesting.ts'
import type { Finding, Problem, Report } from './problem.ts'
import {
  isDirectory,
  type ProjectEnvironment,
  readEnvironments,
  readVariables,
  readWebServer,
  type WebServer,
} from './project-keys.ts'
import { isHttpUrl, isSlug } from './schema.ts'
import { canonicalText, foldSpace, toProblems } from './text.ts'
import { readYaml } from './yaml.ts'

/** The project file, `.molar.md` at the root of a repository. What stands in it is a hint; nothing in it is an error. */
export interface Project {
  name: string | undefined
  base_url: string | undefined
  /** Where the scenarios are, relative to the file. */
  scenarios_directory: string
  variables: Record<string, string>
  /** Kinds that every scenario may use. */
  clones: string[]
  scenarios: { slug: string; goal: string }[]
  /** What serves the application while scenarios run. */
  web_server: WebServer | undefined
  environments: Record<string, ProjectEnvironment>
  warnings: Problem[]
}

const keys = ['base_url', 'scenarios', 'variables', 'web_server', 'environments']
const defaultDirectory = '.molar/scenarios'

/** Reads a project file; what it does not know becomes a warning. */
export function readProject(source: string): Project {
  const text = canonicalText(source.replaceAll('\0', '').slice(0, 256 * 1024))
  const findings: Finding[] = []
  const report: Report = (finding) => findings.push(finding)
  const project: Project = {
    name: undefined,
    base_url: undefined,
    scenarios_directory: defaultDirectory,
    variables: {},
    clones: [],
    scenarios: [],
    web_server: undefined,
    environments: {},
    warnings: [],
  }
  const much = tooMuch(text)
  if (much) report({ code: 'MOLAR_S012', ...much, suggestions: [] })
  else readParts(text, project, report)
  return { ...project, warnings: toProblems(text, findings) }
}

function readParts(text: string, project: Project, report: Report): void {
  let section = ''
  for (const block of readBlocks(text)) {
    const { start, end } = block
    if (block.type === 'yaml') readFront(text, start, end, project, report)
    else if (block.type === 'heading') {
      section = block.text.toLowerCase()
      if (block.depth === 1) project.name ??= block.text
    } else if (block.type === 'paragraph') readLines(text.slice(start, end), start, project, report)
    else if (block.type === 'list') {
      for (const [first] of block.items) {
        const place = { start: first?.start ?? start, end: first?.end ?? end }
        readBullet(section, foldSpace(text.slice(place.start, place.end)), place, project, report)
      }
    }
  }
}

/** `base_url: https://…` on a line of its own. */
function readLines(paragraph: string, start: number, project: Project, report: Report): void {
  let at = start
  for (const line of paragraph.split('\n')) {
    const trimmed = line.trim()
    if (trimmed.toLowerCase().startsWith('base_url:')) {
      setBaseUrl(trimmed.slice('base_url:'.length).trim(), { start: at, end: at + line.length }, project, report)
    }
    at += line.length + 1
  }
}

function setBaseUrl(given: string, place: { start: number; end: number }, project: Project, report: Report): void {
  const url = given.startsWith('<') && given.endsWith('>') ? given.slice(1, -1) : given
  if (isHttpUrl(url)) project.base_url ??= url
  else report({ code: 'MOLAR_S003', message: '"base_url" must be an http(s) URL.', ...place, suggestions: [] })
}

function readBullet(
  section: string,
  bullet: string,
  place: { start: number; end: number },
  project: Project,
  report: Report,
): void {
  const wrong = (message: string) => report({ code: 'MOLAR_S003', message, ...place, suggestions: [] })
  if (section === 'clones') {
    const kind = (bullet.split(/[\s:]/)[0] ?? '').replaceAll('`', '').toLowerCase()
    if (!isSlug(kind)) wrong('A clone is named by its kind, such as stripe.')
    else if (!project.clones.includes(kind)) project.clones.push(kind)
  }
  if (section !== 'scenarios') return
  const colon = bullet.indexOf(':')
  const slug = (colon === -1 ? bullet : bullet.slice(0, colon)).replaceAll('`', '').trim()
  if (!isSlug(slug)) wrong('A scenario is listed as "- slug: what it shows".')
  else project.scenarios.push({ slug, goal: colon === -1 ? '' : bullet.slice(colon + 1).trim() })
}

function readFront(text: string, start: number, end: number, project: Project, report: Report): void {
  const from = text.indexOf('\n', start) + 1
  const to = Math.max(from, text.lastIndexOf('\n', end - 1) + 1)
  const yaml = readYaml(text.slice(from, to), from, report)
  if (!yaml || typeof yaml.data !== 'object' || yaml.data === null || Array.isArray(yaml.data)) return
  for (const [key, value] of Object.entries(yaml.data)) {
    const wrong = (message: string, path: readonly string[] = []) =>
      report({ code: 'MOLAR_S003', message, ...yaml.valueAt([key, ...path]), suggestions: [] })
    if (key === 'base_url') setBaseUrl(String(value), yaml.valueAt([key]), project, report)
    else if (key === 'scenarios') {
      if (typeof value === 'string' && isDirectory(value)) project.scenarios_directory = value
      else wrong('"scenarios" is a directory inside of the repository.')
    } else if (key === 'variables') project.variables = readVariables(value, wrong)
    else if (key === 'web_server') project.web_server = readWebServer(value, wrong)
    else if (key === 'environments') project.environments = readEnvironments(value, wrong)
    else {
      const message = `There is no key "${key}".`
      report({ code: 'MOLAR_S004', message, ...yaml.keyAt([key]), suggestions: nearest(key, keys) })
    }
  }
}
