import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The one entry, and the only reader of the environment: `molar <verb>`. */
const argv = process.argv.slice(2)
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

if (argv.length === 1 && ['--version', '-v', '-V'].includes(argv[0] ?? '')) process.stdout.write(`${version}\n`)
else await start()

async function start(): Promise<void> {
  const [{ runCli }, { readConfig }] = await Promise.all([import('./cli/index.ts'), import('./config.ts')])
  process.exitCode = await runCli(argv, {
    version,
    entry: fileURLToPath(new URL('../bin/molar.js', import.meta.url)),
    environment: process.env as Record<string, string>,
    config: () => readConfig(process.env),
    commands: async () => (await import('./core/index.ts')).commands,
    openLocal: async (...how) => (await import('./cli/open-local.ts')).openLocal(...how),
  })
  // Whatever still holds the process open has had its chance to end well.
  setTimeout(() => process.exit(), 3000).unref()
}
