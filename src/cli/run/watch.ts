import { type FSWatcher, watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'

/** Long enough for an editor that writes a file in several strokes. */
const settleMs = 150

/** Tells which scenario files changed, some at a time, until it is stopped. */
export interface Watching {
  /** Resolves with the paths that changed since the last call; an empty list once the signal aborts. */
  next(signal: AbortSignal): Promise<string[]>
  close(): void
}

/** Watches files, and folders with all that is below them, for `*.molar.md`. */
export async function watchFiles(paths: readonly string[]): Promise<Watching> {
  const changed = new Set<string>()
  let wake = () => {}
  const note = (path: string) => {
    if (!path.endsWith('.molar.md')) return
    changed.add(path)
    wake()
  }
  const watchers: FSWatcher[] = []
  for (const path of paths.map((one) => resolve(one))) {
    const isFolder = (await stat(path)).isDirectory()
    // A file is watched through its folder: editors replace it, and a watch on it would see the old one.
    const folder = isFolder ? path : dirname(path)
    const watcher = watch(folder, { recursive: isFolder }, (_kind, name) => {
      if (name !== null && (isFolder || name === basename(path))) note(join(folder, name))
    })
    watcher.on('error', () => {})
    watchers.push(watcher)
  }
  return {
    async next(signal) {
      while (changed.size === 0 && !signal.aborted) {
        await new Promise<void>((done) => {
          wake = done
          signal.addEventListener('abort', () => done(), { once: true })
        })
      }
      if (signal.aborted) return []
      await new Promise((done) => setTimeout(done, settleMs))
      const paths = [...changed]
      changed.clear()
      return paths
    },
    close: () => {
      for (const watcher of watchers) watcher.close()
    },
  }
}
