import { globSync } from 'node:fs'
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import ts from 'typescript'

// What the package carries, since Node strips no types below node_modules: src as plain JavaScript in dist, and the
// sample shop's beside its sources. Types become white space and `.ts` becomes `.js`, so every line and column stays.

const root = join(import.meta.dirname, '..')

/** Writes dist and the shop's JavaScript below `out`; answers how many files. */
export async function build(out: string): Promise<number> {
  await rm(join(out, 'dist'), { recursive: true, force: true })
  const from = (pattern: string) => globSync(pattern, { cwd: root }).filter((path) => /\.\w+$/.test(path))
  const places = [
    ...from('src/**/*').map((path) => [path, path.replace(/^src/, 'dist')] as const),
    ...from('examples/shop/**/*.ts').map((path) => [path, path] as const),
  ]
  await Promise.all(places.map(([source, target]) => place(join(root, source), join(out, target))))
  return places.length
}

async function place(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true })
  if (!source.endsWith('.ts')) return copyFile(source, target)
  await writeFile(target.replace(/\.ts$/, '.js'), toJavaScript(await readFile(source, 'utf8')))
}

/** The same text without its types; relative imports name the JavaScript beside them. */
export function toJavaScript(source: string): string {
  const plain = stripTypeScriptTypes(source, { mode: 'strip' })
  return specifiers(plain).reduceRight(
    (text, { start, end }) =>
      `${text.slice(0, start)}${text.slice(start, end).replace(/\.ts(?=.$)/, '.js')}${text.slice(end)}`,
    plain,
  )
}

/** Where relative imports and exports name a module, quotes included, in the order of the text. */
function specifiers(text: string): { start: number; end: number }[] {
  const file = ts.createSourceFile('module.js', text, ts.ScriptTarget.Latest, false, ts.ScriptKind.JS)
  const found: { start: number; end: number }[] = []
  const visit = (node: ts.Node): void => {
    const named =
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
        ? node.moduleSpecifier
        : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
          ? node.arguments[0]
          : undefined
    if (named && ts.isStringLiteral(named) && named.text.startsWith('.'))
      found.push({ start: named.getStart(file), end: named.getEnd() })
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { out: { type: 'string', default: root } } })
  const started = performance.now()
  const count = await build(values.out)
  process.stderr.write(`${count} files in ${Math.round(performance.now() - started)} ms\n`)
}
