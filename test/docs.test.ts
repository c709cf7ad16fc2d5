import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { resolveAlias } from '../src/cli/aliases.ts'
import { kebab } from '../src/cli/flags.ts'
import { verbs } from '../src/cli/verbs/index.ts'
import { commands } from '../src/core/index.ts'
import { compileScenario, problemCodes, readProject } from '../src/core/scenarios/language/index.ts'
import { forms } from '../src/core/scenarios/language/verbs/index.ts'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const pages = ['README.md', 'CHANGELOG.md', 'examples/README.md', ...globSync('docs/*.md', { cwd: root })].sort()
const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string>>
const blocks = (text: string, language: string) =>
  [...text.matchAll(/^```([\w-]*)\n([\s\S]*?)^```$/gm)]
    .filter(([, said]) => said === language)
    .map(([, , code]) => code!)

t.test('every `molar …` that the docs name is a verb, a command or a bin', async (t) => {
  const own = new Map(verbs.map(({ name, words }) => [name, words]))
  const inCode = (text: string) => [
    ...[...text.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!),
    ...['sh', 'text'].flatMap((language) => blocks(text, language)).flatMap((code) => code.split('\n')),
  ]
  const caller = /(?:\bmolar|@molar\/guard|bin\/molar\.js) +([a-z].*)$/
  let checked = 0
  for (const page of pages)
    for (const code of inCode(read(page))) {
      const said = caller.exec(code)?.[1]?.split(/\s+/)
      if (!said || /^\w+:/.test(said[0]!)) continue
      checked++
      const [first = '', second = ''] = resolveAlias(said)
      if (own.has(`${first} ${second}`)) continue
      if (own.has(first)) {
        if (first === 'db' || first === 'browser')
          t.ok(own.get(first)?.includes(second), `${page}: molar ${first} ${second}`)
        continue
      }
      const known = commands.some(({ noun, verb }) => noun === first && [verb, kebab(verb)].includes(second))
      t.ok(known, `${page}: molar ${first} ${second}`)
    }
  t.ok(checked > 40, `${checked} were found`)
})

t.test('every variable that is read is documented, and no other', async (t) => {
  const readers = globSync('src/config*.ts', { cwd: root }).map(read).join('\n')
  const quoted = [...readers.matchAll(/'([A-Z][A-Z0-9_]+)'/g)]
  const readNames = new Set(quoted.map(([, one]) => one!.replace(/_$/, '')))
  const section = read('docs/operating.md').split('## Environment')[1]!.split('\n## ')[0]!
  const cells = [...section.matchAll(/^\| (`[^|]+) \|/gm)].map(([, cell]) => cell!)
  const told = new Set(cells.flatMap((cell) => [...cell.matchAll(/`([A-Z0-9_]*[A-Z0-9])/g)].map(([, one]) => one!)))
  t.strictSame([...told].sort(), [...readNames].sort())
  // What emitted specs read is said in docs/scenarios.md, what the sample shop reads in its README.
  const elsewhere = [...read('src/core/scenarios/language/frame.ts').matchAll(/MOLAR_[A-Z_]+[A-Z]/g)].map(
    ([one]) => one,
  )
  for (const page of pages)
    for (const [one] of read(page).matchAll(/\bMOLAR_(?!S\d{3})[A-Z0-9_]*[A-Z0-9]\b/g))
      t.ok(
        [...readNames, ...elsewhere].some((known) => one === known || one.startsWith('MOLAR_SECRET_')),
        `${page}: ${one} is read somewhere`,
      )
})

t.test('every dependency has its sentence in decisions.md, and none that is gone', async (t) => {
  const rows = read('docs/decisions.md').split('## Dependencies')[1]!.split('\n')
  const told = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, one]) => one!))
  const { dependencies, optionalDependencies, devDependencies } = manifest
  t.strictSame(told.sort(), Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies }).sort())
})

t.test('decisions.md says which dependencies are not imported yet, and is right', async (t) => {
  const source = globSync('src/**/*.ts', { cwd: root }).map(read).join('\n')
  const rows = read('docs/decisions.md').split('\n')
  for (const name of Object.keys(manifest.dependencies!)) {
    const row = rows.find((one) => one.startsWith(`| \`${name}\``)) ?? ''
    const imported = source.includes(`'${name}'`) || source.includes(`'${name}/`)
    t.equal(row.includes('not imported yet'), !imported, name)
  }
})

t.test('every relative link leads somewhere', async (t) => {
  for (const page of pages)
    for (const [, link] of read(page).matchAll(/\]\(([^)\s]+)\)/g))
      if (!/^[a-z]+:/.test(link!)) t.ok(existsSync(join(root, dirname(page), link!.split('#')[0]!)), `${page}: ${link}`)
})

t.test('every scenario in the docs compiles', async (t) => {
  const found = pages.flatMap((page) =>
    blocks(read(page), 'md').flatMap((code) => (/^---\s+spec_version/.test(code) ? [{ page, code }] : [])),
  )
  t.ok(found.length >= 2)
  for (const { page, code } of found) t.match(compileScenario(code), { ok: true }, page)
})

t.test('the project files in the docs are read without a warning, and every key is told of', async (t) => {
  const page = read('docs/scenarios.md').split('\n## The project file\n')[1]!
  const [plain] = blocks(page, 'md')
  const [front] = blocks(page, 'yaml')
  const project = readProject(`---\n${front}---\n\n# Shop\n`)
  t.strictSame(readProject(plain!).warnings, [])
  t.strictSame(project.warnings, [])
  for (const key of ['base_url', 'scenarios', 'variables', 'web_server', 'environments'])
    t.ok(page.includes(`| \`${key}\``), key)
  t.match(project, { web_server: { command: 'npm start' }, environments: { staging: {}, preview: {} } })
})

t.test('scenarios.md has every form, option, code and key of the language', async (t) => {
  const page = read('docs/scenarios.md')
  const plain = page.toLowerCase()
  for (const [code, meaning] of Object.entries(problemCodes)) t.ok(page.includes(`| ${code} | ${meaning}`), code)
  for (const { shown, options } of forms) {
    // The words at its start that every such step has: "Wait for request", "Set local storage".
    const words = /^[A-Z][a-z]+(?: (?!(?:is|matches|contains)\b)[a-z]+(?![|a-z]))*/.exec(shown)![0].toLowerCase()
    t.ok(plain.includes(words), shown)
    for (const option of Object.keys(options)) t.ok(page.includes(`\`${option}\``), `${shown}: ${option}`)
  }
})

t.test('every form that the tables of scenarios.md show compiles', async (t) => {
  const bare = read('docs/scenarios.md')
    .replace(/^```[\s\S]*?^```$/gm, '')
    .replaceAll('\\|', '¦')
  const tables = bare.split('\n## Steps\n')[1]!.split('\n## ')[0]!
  const cells = [...tables.matchAll(/^\| (`[^|]+) \|/gm)].map(([, cell]) => cell!)
  const shown = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code!))
  t.ok(shown.length > 80, `${shown.length} forms`)
  for (const form of shown) {
    for (const step of alternatives(form)) {
      const result = compileScenario(scenarioWith(step))
      t.match(result, { ok: true }, step + (result.ok ? '' : `: ${result.problems[0]?.message}`))
    }
  }
})

/** `visible¦hidden` is one or the other. */
function alternatives(form: string): string[] {
  const found = /\S+(?:¦\S+)+/.exec(form)?.[0]
  return found ? found.split('¦').flatMap((one) => alternatives(form.replace(found, one))) : [form]
}

function scenarioWith(form: string): string {
  const step = form
    .replaceAll('<target>', 'button "Save"')
    .replaceAll('<value>', '"a"')
    .replace(/(url (?:is|matches|contains)) …/, '$1 /x')
    .replace(/(title (?:is|contains)) …/, '$1 "x"')
    .replace(/(request|response) (GET|POST) …/, '$1 $2 /x')
  const block = step.includes('matches aria') ? '\n   ```yaml\n   - button "Save"\n   ```' : ''
  return `---
spec_version: '1.0'
id: 019301c0-cafe-7000-bea7-000000000003
slug: x
description: x
variables: { a: a, b: b }
---
## Steps
1. Click "Open"
2. Download by clicking "File" as name
3. Click "Open"
4. ${step}${block}
`
}

t.test(
  'asvs.md has every item once and counts them rightly; the files that it and security.md name are there',
  async (t) => {
    const page = read('docs/asvs.md')
    const rows = [...page.matchAll(/^\| ([\d., ]+) \| [^|]+ \| (holds|does not apply|open) \| [^|]+ \|$/gm)]
    const items = rows.flatMap(([, ids, state]) => ids!.split(', ').map((id) => [id, state!] as const))
    t.equal(new Set(items.map(([id]) => id)).size, items.length)
    t.equal(items.length, 253, 'of levels 1 and 2')
    const [holds, not, open] = ['holds', 'does not apply', 'open'].map(
      (state) => items.filter(([, its]) => its === state).length,
    )
    t.match(page, `**${holds} hold, ${not} do not apply, ${open} are open**`)
    t.match(page, `| all | ${holds} | ${not} | ${open} |`)
    for (const name of ['docs/asvs.md', 'docs/security.md'])
      for (const [, path] of read(name).matchAll(/`((?:src|test)\/[^`]*)`/g)) t.ok(existsSync(join(root, path!)), path!)
  },
)

t.test('every tool that the README names exists', async (t) => {
  const tools = new Set(commands.map(({ tool }) => tool))
  for (const page of pages)
    for (const [, tool] of read(page).matchAll(/`(molar_[a-z_]+)`/g))
      t.ok(
        tools.has(tool!) || /^molar_(calls_total|call_duration_seconds|open_streams)$/.test(tool!),
        `${page}: ${tool}`,
      )
})

t.test('nothing speaks of the machine on which it was written', async (t) => {
  for (const page of pages) t.notMatch(read(page), /\/work\/|\/tmp\/brief|\bsection sign|\bthis session\b/i, page)
})
