#!/usr/bin/env node
// Plain JavaScript that Node 18 reads too: an older Node hands over to the Node 24 that the package brings.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module, { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const wanted = 24
const file = (path) => new URL(path, import.meta.url)

if (Number(process.versions.node.split('.')[0]) >= wanted) await start()
else handOver(broughtNode())

/** The published package has built JavaScript alone; in the repository the sources come first. */
async function start() {
  module.enableCompileCache?.()
  // It is written when a process ends by itself; a server is killed, or lives for weeks.
  setTimeout(() => module.flushCompileCache?.(), 5000).unref()
  const source = file('../src/main.ts')
  await import(existsSync(source) ? source.href : file('../dist/main.js').href)
}

function broughtNode() {
  const { platform, arch } = process
  const name = `node-${platform === 'win32' ? 'win' : platform}-${arch}`
  try {
    const home = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
    const path = join(home, 'bin', platform === 'win32' ? 'node.exe' : 'node')
    return existsSync(path) ? path : undefined
  } catch {
    return undefined // optional: npm leaves it out on a system that it is not made for
  }
}

function handOver(node) {
  if (!node) return refuse()
  const child = spawn(node, [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  })
  child.once('error', refuse)
  // A terminal sends Ctrl-C to both processes, so it may arrive twice: src/cli/stop.ts takes the pair for one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.once('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 1)))
}

function refuse() {
  const how =
    { darwin: 'brew install node@24', win32: 'winget install OpenJS.NodeJS' }[process.platform] ?? 'https://nodejs.org'
  process.stderr.write(
    `error: Molar needs Node ${wanted}; this is ${process.version}, and the one that npm brings is not installed for this system.\n`,
  )
  process.stderr.write(`Install Node ${wanted} (${how}), or run npm install without --omit=optional, and try again.\n`)
  process.exit(7)
}
