import { existsSync } from 'node:fs'
import { chmod, chown, copyFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { FoundBrowser } from './find.ts'

/** Enough for the shell scripts that distributions wrap around Chromium. */
export const plainPath = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin'

/**
 * All that a browser process gets to see. Never the worker's own environment: it holds the database's address and keys,
 * and the browser is the part of Molar that runs strangers' code.
 */
export function browserEnvironment(found: FoundBrowser, home: string): Record<string, string> {
  return {
    PATH: plainPath,
    HOME: home,
    TMPDIR: home,
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_CACHE_HOME: join(home, 'cache'),
    LANG: 'C.UTF-8',
    ...(found.libraryPath ? { LD_LIBRARY_PATH: found.libraryPath } : {}),
    ...shippedFonts(found),
  }
}

/**
 * What a browser with a window gets to see of its display. The X server's cookie is copied into the browser's own home:
 * under a uid of its own it could not read the person's.
 */
export async function displayEnvironment(
  display: Record<string, string>,
  home: string,
  uid?: number,
): Promise<Record<string, string>> {
  const { XAUTHORITY: cookies, ...others } = display
  if (cookies === undefined || !existsSync(cookies)) return others
  const copy = join(home, '.Xauthority')
  await copyFile(cookies, copy)
  await chmod(copy, 0o600)
  if (uid !== undefined) await chown(copy, uid, uid)
  return { ...others, XAUTHORITY: copy }
}

/** A bare machine has no fonts, and text without fonts has no size: npm's browser brings one. */
function shippedFonts(found: FoundBrowser): Record<string, string> {
  if (found.source !== 'npm' || existsSync('/etc/fonts/fonts.conf')) return {}
  return { FONTCONFIG_FILE: join(dirname(found.path), 'fonts.conf') }
}
