import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'

const scenarios = join(import.meta.dirname, '..', 'src', 'core', 'scenarios')
const output = join(scenarios, 'runtime.generated.ts')
const entry = 'session.ts'

/** The text of src/core/scenarios/runtime.generated.ts: the runtime as one piece of JavaScript, for emitted specs. */
export function generateRuntime(): string {
  const folder = join(scenarios, 'runtime')
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts'))
  const sources = new Map(files.map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
  const pieces = new Map<string, { imports: string[]; builtins: string[]; code: string }>()
  for (const [name, source] of sources) pieces.set(name, readPiece(name, source))
  const order = inOrder(pieces)
  const builtins = [...new Set(order.flatMap((name) => pieces.get(name)?.builtins ?? []))].sort()
  checkNames(order.map((name) => pieces.get(name)?.code ?? ''))
  const code = tidy(order.map((name) => pieces.get(name)?.code.trim()).join('\n\n'))
  const digest = createHash('sha256')
    .update(`${builtins.join('\n')}\n${code}`)
    .digest('hex')
    .slice(0, 10)
  return `// Written by scripts/generate-runtime.ts from src/core/scenarios/runtime. Do not edit.

/** Changes with the runtime, and with it the compiler's version. */
export const runtimeDigest = '${digest}'

/** The runtime's imports from Node. */
export const runtimeImports: string = ${templateLiteral(builtins.join('\n'))}

/** The runtime without types and without imports; it declares \`openSession\`. */
export const runtimeSource: string = ${templateLiteral(code)}
`
}

const importPattern = /^import\s[^'"]*?from\s+['"]([^'"]+)['"]\s*;?[ \t]*$/gm

function readPiece(name: string, source: string): { imports: string[]; builtins: string[]; code: string } {
  const imports: string[] = []
  const builtins: string[] = []
  const plain = stripTypeScriptTypes(source, { mode: 'strip' })
    .replace(importPattern, (statement, from: string) => {
      if (from.startsWith('node:')) builtins.push(statement.replaceAll(/\s+/g, ' ').trim())
      else if (from.startsWith('./')) imports.push(from.slice(2))
      else throw new Error(`${name} imports ${from}: a spec could not.`)
      return ''
    })
    .replace(/^export\s+\{[^}]*\}(?:\s+from\s+['"][^'"]+['"])?\s*;?[ \t]*$/gm, '')
    .replace(/^export\s+(?=(?:async\s+function|function|const|let|class)\b)/gm, '')
  if (/^(?:import|export)\b/m.test(plain)) throw new Error(`${name} has an import or export that cannot be inlined.`)
  return { imports, builtins, code: plain }
}

/** Where types were, white space and their comments are left. */
function tidy(code: string): string {
  const bare = code.replace(/[ \t]+$/gm, '').replace(/^\/\*\*(?:[^*]|\*(?!\/))*\*\/\n(?=\n|\/\*\*|\/\/)/gm, '')
  const biome = join(import.meta.dirname, '..', 'node_modules', '.bin', 'biome')
  return execFileSync(biome, ['format', '--stdin-file-path=runtime.js'], { input: bare, encoding: 'utf8' }).trim()
}

/** What is imported comes first: classes and constants are made in the order of the text. */
function inOrder(pieces: ReadonlyMap<string, { imports: string[] }>): string[] {
  const order: string[] = []
  const seen = new Set<string>()
  const visit = (name: string) => {
    if (seen.has(name)) return
    seen.add(name)
    const piece = pieces.get(name)
    if (!piece) throw new Error(`The runtime has no ${name}.`)
    for (const imported of [...piece.imports].sort()) visit(imported)
    order.push(name)
  }
  visit(entry)
  return order
}

function checkNames(codes: readonly string[]): void {
  const names = new Set<string>()
  for (const code of codes) {
    for (const [, name] of code.matchAll(/^(?:async\s+)?(?:function\*?|const|let|class)\s+([A-Za-z_$][\w$]*)/gm)) {
      if (names.has(name as string)) throw new Error(`The runtime declares ${name} twice; its files become one.`)
      names.add(name as string)
    }
  }
}

function templateLiteral(text: string): string {
  return `\`${text.replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${')}\``
}

if (process.argv[1] === import.meta.filename) writeFileSync(output, generateRuntime())
