import { access, link, readFile, rm, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** Whether anything is at the path. */
export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/** Writes a private file (0600) only if none is there; the first of several writers wins whole. */
export async function writeOnce(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`
  await writeFile(draft, text, { mode: 0o600, flag: 'wx' })
  try {
    await link(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(draft, { force: true })
  }
}

/**
 * Does the work unless a living process is at it, then waits for that one and looks again with `isDone`. Only saves
 * effort: two that take over from a dead one at once both work, so the work itself must stand that.
 */
export async function oneAtATime(
  lock: string,
  isDone: () => Promise<boolean>,
  work: () => Promise<void>,
): Promise<void> {
  while (!(await isDone())) {
    await writeOnce(lock, `${process.pid}`)
    const holder = Number(await readFile(lock, 'utf8').catch(() => '0'))
    if (holder === process.pid) {
      return await work().finally(() => rm(lock, { force: true }))
    }
    if (holder > 0 && !isAlive(holder)) await rm(lock, { force: true })
    await sleep(20)
  }
}

/** Whether a process of that id exists (of whichever user). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
