import { existsSync } from 'node:fs'

/** Says that no browser was found, and the commands that mend it on this machine. */
export function describeMissingBrowser(platform: NodeJS.Platform = process.platform): string {
  return `No Chromium was found on this machine. ${mends(platform).join(', or ')}. MOLAR_CHROMIUM_PATH may name one that stands elsewhere.`
}

function mends(platform: NodeJS.Platform): string[] {
  const own = 'Run `molar browser install`'
  if (platform === 'darwin') return [own, '`brew install --cask google-chrome`']
  if (platform === 'win32') return [own, '`winget install Google.Chrome`']
  if (existsSync('/usr/bin/apt-get'))
    return [
      own,
      '`apt-get install -y chromium-headless-shell` (Debian), `npx playwright install --with-deps chromium-headless-shell` (Ubuntu)',
    ]
  if (existsSync('/usr/bin/dnf')) return [own, '`dnf install -y chromium-headless`']
  if (existsSync('/sbin/apk')) return [own, '`apk add chromium`']
  return [own]
}
