import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { commands } from '../src/core/index.ts'
import { openApiDocument } from '../src/rest/openapi.ts'
import { commandReference } from '../src/rest/reference.ts'
import { capabilities } from '../src/server/capabilities.ts'
import { generateRuntime } from './generate-runtime.ts'

// Writes what is generated from the commands and committed. `--check` compares instead, and fails where they differ.

const root = fileURLToPath(new URL('..', import.meta.url))
const at = (path: string) => `${root}${path}`
const { version } = JSON.parse(await readFile(at('package.json'), 'utf8')) as { version: string }
/** A server gives the same documents with its own address. */
const url = 'http://localhost:4000'
const pretty = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`

const generated: Record<string, string> = {
  'openapi.json': pretty(openApiDocument(commands, { url, version })),
  'capabilities.json': pretty(capabilities(commands, { url, version, oauth: true })),
  'docs/commands.md': commandReference(commands),
  'src/core/scenarios/runtime.generated.ts': generateRuntime(),
}

const current = (path: string) => readFile(at(path), 'utf8').catch(() => undefined)
const stale: string[] = []
for (const [path, text] of Object.entries(generated)) if ((await current(path)) !== text) stale.push(path)

if (process.argv.includes('--check')) {
  if (stale.length > 0) {
    process.stderr.write(`Out of date: ${stale.join(', ')}. Run: npm run generate\n`)
    process.exitCode = 1
  }
} else {
  for (const path of stale) {
    await mkdir(dirname(at(path)), { recursive: true })
    await writeFile(at(path), generated[path]!)
    process.stderr.write(`wrote ${relative(process.cwd(), at(path))}\n`)
  }
}
