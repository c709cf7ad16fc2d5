import { spawn } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parse, stringify } from 'yaml'
import { serveConformance } from '../test/fixtures/conformance.ts'

// The protocol's own suite against /mcp. `npm run conformance` runs it on the fixture registry, which has the tools that
// the suite asks for by name; `-- --url <url of /mcp>` on any server that asks for no key.

const at = (path: string) =>
  fileURLToPath(new URL(`../node_modules/@modelcontextprotocol/conformance/${path}`, import.meta.url))

export const revisions = ['2026-07-28', '2025-11-25'] as const
export type Revision = (typeof revisions)[number]

export interface Check {
  id: string
  status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO'
  errorMessage?: string
}

export interface Result {
  scenario: string
  checks: Check[]
  /** Every check that was made succeeded, and there was one. */
  passed: boolean
}

/** The scenarios that a revision requires of a server, as the suite froze them. */
export async function requiredScenarios(revision: Revision): Promise<string[]> {
  return parse(await readFile(at(`requirements/${revision}.yaml`), 'utf8')).server as string[]
}

/** Runs the suite at one revision; one result for each scenario, in their order: those required, unless told. */
export async function runConformance(url: string, revision: Revision, wanted?: readonly string[]): Promise<Result[]> {
  const folder = await mkdtemp(join(tmpdir(), 'molar-conformance-'))
  try {
    const scenarios = wanted ?? (await requiredScenarios(revision))
    const output = join(folder, 'output')
    const suite = await suiteOf(folder, revision, scenarios)
    await runSuite(suite, ['server', '--url', url, '--requirements', revision, '--output-dir', output])
    const folders = await readdir(output)
    return await Promise.all(
      scenarios.map(async (scenario) => {
        const own = folders.find((name) => new RegExp(`^server-${scenario}-\\d{4}-`).test(name))
        const checks = own ? (JSON.parse(await readFile(join(output, own, 'checks.json'), 'utf8')) as Check[]) : []
        return { scenario, checks, passed: checks.length > 0 && checks.every(isGood) }
      }),
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The suite reads what a revision requires from a file beside it, and runs what counts for nothing as well: a copy with a list of ours runs no more than that. */
async function suiteOf(folder: string, revision: Revision, server: readonly string[]): Promise<string> {
  for (const name of ['dist', 'requirements']) await mkdir(join(folder, name))
  const program = join(folder, 'dist/index.js')
  await copyFile(at('dist/index.js'), program)
  await copyFile(at('package.json'), join(folder, 'package.json'))
  await symlink(at('../..'), join(folder, 'node_modules'))
  await writeFile(join(folder, `requirements/${revision}.yaml`), stringify({ server }))
  return program
}

/** A warning is a SHOULD that was not met: it fails too. */
const isGood = ({ status }: Check) => status !== 'FAILURE' && status !== 'WARNING'

/** Ends with an exit code that says nothing here: it counts scenarios that no revision requires. */
function runSuite(program: string, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    // A copy has a path of its own each time: what Node compiled of it would be kept, and never found again.
    const env = { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' }
    const child = spawn(process.execPath, [program, ...args], { env, stdio: 'ignore', timeout: 120_000 })
    child.on('error', reject)
    child.on('close', () => resolve())
  })
}

async function main(): Promise<void> {
  const given = process.argv.indexOf('--url')
  const fixture = given < 0 ? await serveConformance() : undefined
  const url = fixture?.url ?? process.argv[given + 1]!
  for (const revision of revisions) {
    const results = await runConformance(url, revision)
    for (const { scenario, checks, passed } of results) {
      process.stdout.write(`${passed ? '✓' : '✗'} ${scenario}\n`)
      for (const check of checks.filter((one) => !isGood(one)))
        process.stdout.write(`    ${check.id}: ${check.errorMessage}\n`)
    }
    const good = results.filter(({ passed }) => passed).length
    process.stdout.write(`${revision}: ${good} of ${results.length} scenarios passed\n\n`)
    if (good < results.length) process.exitCode = 1
  }
  await fixture?.close()
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
