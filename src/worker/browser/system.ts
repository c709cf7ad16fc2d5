import { closeSync, existsSync, openSync, readSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { BrowserKind, Candidate } from './find.ts'

const linux: [BrowserKind, string[]][] = [
  ['headless-shell', ['chromium-headless-shell', 'chrome-headless-shell']],
  [
    'chromium',
    [
      'chromium',
      'chromium-browser',
      'google-chrome-stable',
      'google-chrome',
      'microsoft-edge-stable',
      'microsoft-edge',
    ],
  ],
]
const linuxFolders = ['/usr/bin', '/usr/local/bin', '/opt/google/chrome', '/usr/lib64/chromium-browser']
const macApplications = ['Chromium', 'Google Chrome', 'Google Chrome Canary', 'Microsoft Edge', 'Brave Browser']
const windowsPaths = [
  'Google\\Chrome\\Application\\chrome.exe',
  'Chromium\\Application\\chrome.exe',
  'Microsoft\\Edge\\Application\\msedge.exe',
]

/** The machine's own browsers, in the order to try: on Linux headless shells before full ones. */
export function systemBrowsers(
  platform: NodeJS.Platform = process.platform,
  exists: (path: string) => boolean = existsSync,
): Candidate[] {
  return listed(platform).filter(({ path }) => exists(path) && !isSnap(path))
}

function listed(platform: NodeJS.Platform): Candidate[] {
  if (platform === 'darwin') {
    const homebrew = ['/opt/homebrew/bin', '/usr/local/bin'].map((folder) =>
      candidate('chromium', join(folder, 'chromium')),
    )
    const applications = macApplications.flatMap((name) =>
      ['/Applications', join(homedir(), 'Applications')].map((folder) =>
        candidate('chromium', `${folder}/${name}.app/Contents/MacOS/${name}`),
      ),
    )
    return [...applications, ...homebrew]
  }
  if (platform === 'win32') {
    const roots = ['C:\\Program Files', 'C:\\Program Files (x86)', `${homedir()}\\AppData\\Local`]
    return windowsPaths.flatMap((path) => roots.map((root) => candidate('chromium', `${root}\\${path}`)))
  }
  return linux.flatMap(([kind, names]) =>
    names.flatMap((name) => linuxFolders.map((folder) => candidate(kind, join(folder, name)))),
  )
}

function candidate(kind: BrowserKind, path: string): Candidate {
  return { path, kind, source: 'system' }
}

/** Ubuntu's /usr/bin/chromium-browser starts a snap, which sees neither our folders nor our pipes. */
function isSnap(path: string): boolean {
  try {
    if (realpathSync(path).startsWith('/snap/')) return true
    const head = Buffer.alloc(2048)
    const file = openSync(path, 'r')
    const length = readSync(file, head, 0, head.length, 0)
    closeSync(file)
    const text = head.toString('latin1', 0, length)
    return text.startsWith('#!') && text.includes('/snap/bin')
  } catch {
    return false
  }
}
