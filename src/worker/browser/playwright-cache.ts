import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Candidate } from './find.ts'

const folders = /^(chromium_headless_shell|chromium)-(\d+)$/
const executables: Record<string, string[]> = {
  chromium_headless_shell: [
    'chrome-headless-shell',
    'headless_shell',
    'chrome-headless-shell.exe',
    'headless_shell.exe',
  ],
  chromium: [
    'chrome',
    'chrome.exe',
    'Chromium.app/Contents/MacOS/Chromium',
    'Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing',
  ],
}

/** Where Playwright keeps its browsers when nobody says otherwise. */
export function defaultPlaywrightCache(): string {
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'ms-playwright')
  if (process.platform === 'win32') return join(homedir(), 'AppData', 'Local', 'ms-playwright')
  return join(homedir(), '.cache', 'ms-playwright')
}

/** Playwright's Chromiums on this machine: headless shells first, then the revision that this Playwright expects, then newer ones. */
export function playwrightBrowsers(cache = defaultPlaywrightCache()): Candidate[] {
  const wanted = expectedRevision()
  return list(cache)
    .map((name) => folders.exec(name))
    .filter((match) => match !== null)
    .map((match) => ({ folder: match[0], kind: match[1]!, revision: Number(match[2]) }))
    .sort(
      (a, b) =>
        rank(b.kind) - rank(a.kind) ||
        Number(b.revision === wanted) - Number(a.revision === wanted) ||
        b.revision - a.revision,
    )
    .flatMap(({ folder, kind }) => executablesIn(join(cache, folder), kind))
}

function rank(kind: string): number {
  return kind === 'chromium_headless_shell' ? 1 : 0
}

function executablesIn(home: string, kind: string): Candidate[] {
  return list(home)
    .flatMap((inner) => (executables[kind] ?? []).map((name) => join(home, inner, name)))
    .filter((path) => existsSync(path))
    .map((path) => ({ path, kind: rank(kind) ? 'headless-shell' : 'chromium', source: 'playwright' }))
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function expectedRevision(): number | undefined {
  try {
    const root = dirname(createRequire(import.meta.url).resolve('playwright-core/package.json'))
    const { browsers } = JSON.parse(readFileSync(join(root, 'browsers.json'), 'utf8')) as {
      browsers: { name: string; revision: string }[]
    }
    return Number(browsers.find((browser) => browser.name === 'chromium-headless-shell')?.revision)
  } catch {
    return undefined
  }
}
