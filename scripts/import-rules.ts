import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

// Who may import whom, and what only one place may do. A line a breach; exit 1 when there is one.

const root = fileURLToPath(new URL('..', import.meta.url))
const files = globSync('src/**/*.ts', { cwd: root }).map((path) => path.replaceAll('\\', '/'))
const doors = ['tools', 'resources', 'rest', 'cli', 'web']
const breaches: string[] = []

/** Folders of src that a folder may import from, beside itself. */
const allowed: Record<string, string[]> = {
  core: ['db'],
  db: ['core'], // errors.ts alone, see below
  auth: ['core', 'db'],
  tools: ['core'],
  resources: ['core'],
  rest: ['core'],
  cli: ['core', 'config.ts', 'auth', 'server', 'worker', 'db'], // its verbs start the others
  worker: ['core', 'db', 'config.ts', 'server'],
  server: ['core', 'db', 'auth', 'tools', 'resources', 'rest', 'web', 'worker', 'config.ts'],
  web: ['core', 'auth'],
}

for (const file of files) {
  const text = readFileSync(join(root, file), 'utf8')
  const imports = importsOf(text)
  checkFolders(file, imports)
  checkNouns(file, imports)
  checkPackages(file, imports)
  // The frame of emitted specs has the words in what it writes.
  if (file !== 'src/main.ts' && !file.endsWith('language/frame.ts') && /\bprocess\.env\b/.test(text))
    breaches.push(`${file}: only src/main.ts reads the environment`)
  if (
    /\/(core|auth)\//.test(file) &&
    !/store\.ts$/.test(file) &&
    /`?\s*\b(select|insert into|update|delete from)\b [^'"\n]* (from|values|set|where)\b/.test(stripComments(text))
  )
    breaches.push(`${file}: SQL belongs into a store.ts`)
}
checkCircles()

function checkFolders(file: string, imports: string[]): void {
  const home = folderOf(file)
  if (home === '' || home.endsWith('.ts')) return
  for (const target of local(file, imports)) {
    const folder = folderOf(target)
    if (folder === home || allowed[home]?.includes(folder)) continue
    breaches.push(`${file}: src/${home} does not import src/${folder}`)
  }
  if (home === 'db')
    for (const target of local(file, imports))
      if (target.startsWith('src/core/') && target !== 'src/core/errors.ts')
        breaches.push(`${file}: src/db knows only core's errors`)
}

/** A noun reaches another one through its index. */
function checkNouns(file: string, imports: string[]): void {
  const [, area, noun] = file.split('/')
  if (area !== 'core') return
  for (const target of local(file, imports)) {
    const [, otherArea, other, ...rest] = target.split('/')
    if (otherArea !== 'core' || rest.length === 0 || other === noun || other === 'stages') continue
    if (rest.join('/') !== 'index.ts')
      breaches.push(`${file}: imports ${target}, but a noun is reached through its index.ts`)
  }
}

function checkPackages(file: string, imports: string[]): void {
  const home = folderOf(file)
  for (const name of imports) {
    if (home === 'core' && /^(fastify|@fastify\/|@modelcontextprotocol\/|commander)/.test(name))
      breaches.push(`${file}: core knows no door, and imports ${name}`)
    if (name.startsWith('@modelcontextprotocol/') && !['tools', 'resources', 'server', 'cli'].includes(home))
      breaches.push(`${file}: ${name} is for the MCP door`)
    if (name === 'pg' && home !== 'db') breaches.push(`${file}: pg is for src/db`)
  }
}

/** No circle among the nouns of core, nor among the folders of doors. */
function checkCircles(): void {
  const edges = new Map<string, Set<string>>()
  for (const file of files.filter((one) => one.startsWith('src/core/') && one.split('/').length > 3)) {
    const noun = file.split('/')[2]!
    for (const target of local(file, importsOf(readFileSync(join(root, file), 'utf8')))) {
      const parts = target.split('/')
      if (parts[1] === 'core' && parts.length > 3 && parts[2] !== noun)
        edges.set(noun, (edges.get(noun) ?? new Set()).add(parts[2]!))
    }
  }
  const visit = (noun: string, path: string[]): void => {
    if (path.includes(noun)) {
      breaches.push(`circle: ${[...path.slice(path.indexOf(noun)), noun].join(' → ')}`)
      return
    }
    for (const next of edges.get(noun) ?? []) visit(next, [...path, noun])
  }
  for (const noun of edges.keys()) visit(noun, [])
}

function importsOf(text: string): string[] {
  return [
    ...text.matchAll(/(?:^|\n)\s*(?:import|export)\b[^'"]*?from\s+['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g),
  ].map((match) => (match[1] ?? match[2])!)
}

function local(file: string, imports: string[]): string[] {
  return imports
    .filter((name) => name.startsWith('.'))
    .map((name) => relative(root, normalize(join(root, dirname(file), name))).replaceAll('\\', '/'))
}

function folderOf(path: string): string {
  return path.startsWith('src/') ? path.split('/')[1]! : ''
}

function stripComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')
}

if (doors.some((door) => !(door in allowed))) breaches.push('a door has no rule')
for (const breach of [...new Set(breaches)].sort()) process.stderr.write(`${breach}\n`)
process.exitCode = breaches.length > 0 ? 1 : 0
