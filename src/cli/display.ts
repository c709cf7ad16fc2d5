import type { Config } from '../config.ts'
import { fail } from '../core/errors.ts'

/** Throws `browser_unavailable` where no window could be shown. */
export function needDisplay(what: string, { display }: Pick<Config, 'display'>): void {
  if (process.platform === 'linux' && !display.DISPLAY && !display.WAYLAND_DISPLAY)
    fail(
      'browser_unavailable',
      `${what} needs a display, and neither DISPLAY nor WAYLAND_DISPLAY is set. Run it on a desktop, or under xvfb-run.`,
    )
}
