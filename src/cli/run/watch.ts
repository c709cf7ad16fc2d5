import { type FSWatcher, watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { CommandError, fail } from '../../core/errors.ts'
import { stopSignal } from '../stop.ts'
import { type Gathered, gather } from './gather.ts'
import { type Round, runRound } from './round.ts'
import { select } from './select.ts'

/** Long enough for an editor that writes a file in several strokes. */
const settleMs = 150

/** Tells which scenario files changed, some at a time, until it is stopped. */
export interface Watching {
  /** Resolves with the paths that changed since the last call; an empty list once the signal aborts. */
  next(signal: AbortSignal): Promise<string[]>
  close(): void
}

/** Watches files, and folders with all that is below them, for `*.molar.md`. */
async function watchFiles(paths: readonly string[]): Promise<Watching> {
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

/** After the first round: again whatever changes, until the process is told to stop. Answers the last round's exit code. */
export async function watchRounds(
  args: readonly string[],
  gathered: Gathered,
  round: Round,
  first: number,
): Promise<number> {
  const { choices, carrier, find, cli } = round
  const { err } = cli.terminal
  const paths = gathered.paths.filter((path) => path !== '-')
  if (paths.length === 0)
    fail('bad_request', '--watch looks at files and folders; stored scenarios do not change here.')
  const watching = await watchFiles(paths)
  const signal = stopSignal()
  let code = first
  try {
    for (;;) {
      err.line(err.paint.dim(`Waiting for changes in ${paths.join(', ')}; Ctrl-C ends.`))
      const changed = await watching.next(signal)
      if (signal.aborted) return code
      try {
        const now = await gather(args, choices.tags, process.cwd(), carrier, find, cli.terminal)
        const among = select(now.wanted, choices.grep, choices.shard)
        const touched = among.filter(({ source }) => source && changed.includes(resolve(source.file)))
        code = touched.length > 0 ? await runRound(touched, now, round) : code
      } catch (error) {
        if (signal.aborted || !(error instanceof CommandError)) throw error
        // A scenario that does not compile as it is saved half-way is no end of watching.
        err.line(err.paint.red(error.message))
        code = 1
      }
    }
  } finally {
    watching.close()
  }
}
