import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

// What must hold of the source before any test runs: types, lint and format, generated files, who may import whom.

const root = fileURLToPath(new URL('..', import.meta.url))
const checks: Record<string, string[]> = {
  // The compiler in Go, a third of the time. What has not changed since the last check is not checked again.
  types: [
    'node_modules/typescript-7/bin/tsc',
    '--noEmit',
    '--incremental',
    '--tsBuildInfoFile',
    'node_modules/.cache/types.tsbuildinfo',
  ],
  lint: ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.'],
  generated: ['scripts/generate.ts', '--check'],
  imports: ['scripts/import-rules.ts'],
}

const results = await Promise.all(
  Object.entries(checks).map(
    ([name, args]) =>
      new Promise<boolean>((resolve) => {
        const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
        let output = ''
        for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
        child.on('close', (code) => {
          process.stderr.write(code === 0 ? `✓ ${name}\n` : `✗ ${name}\n${output}\n`)
          resolve(code === 0)
        })
      }),
  ),
)
process.exitCode = results.every(Boolean) ? 0 : 1
