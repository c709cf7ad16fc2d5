import { readdir, readFile } from 'node:fs/promises'

interface Process {
  parent: number
  own: number
}

const pageBytes = 4096

/** Bytes that the browsers below process `root` keep for themselves, without what they share (Linux; undefined elsewhere). */
export async function browserMemory(root: number): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined
  return (await browserProcesses(root)).reduce((sum, { own }) => sum + own, 0)
}

/** Ends the processes of pages that keep more than `most` bytes for themselves: the rest of the browser lives on. How many there were. */
export async function endLargePages(root: number, most: number): Promise<number> {
  if (process.platform !== 'linux') return 0
  const large = (await browserProcesses(root)).filter(({ own }) => own > most)
  const renderers = await Promise.all(
    large.map(async ({ pid }) => ((await commandLine(pid)).includes('--type=renderer') ? [pid] : [])),
  )
  return renderers.flat().filter(end).length
}

function end(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch {
    return false // it ended by itself
  }
}

async function browserProcesses(root: number): Promise<{ pid: number; own: number }[]> {
  const all = new Map<number, Process>()
  await Promise.all(
    (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map((name) => read(Number(name), all)),
  )
  const below = [...all].filter(([pid]) => descends(pid, (at) => at === root, all))
  // The worker may have other children (a database): only what stands below a Chromium that obeys a pipe is ours.
  const browsers = new Set<number>()
  await Promise.all(below.map(async ([pid]) => (await isBrowser(pid)) && browsers.add(pid)))
  return below
    .filter(([pid]) => browsers.has(pid) || descends(pid, (at) => browsers.has(at), all))
    .map(([pid, { own }]) => ({ pid, own }))
}

async function read(pid: number, into: Map<number, Process>): Promise<void> {
  try {
    const [stat, memory] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/statm`, 'utf8'),
    ])
    const [, resident, shared] = memory.split(' ').map(Number)
    // The name in parentheses may hold spaces and parentheses of its own.
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    into.set(pid, { parent, own: ((resident ?? 0) - (shared ?? 0)) * pageBytes })
  } catch {
    // It ended while we looked.
  }
}

const isBrowser = async (pid: number): Promise<boolean> => (await commandLine(pid)).includes('--remote-debugging-pipe')

/** Empty where the process has just ended. */
const commandLine = (pid: number): Promise<string> => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')

function descends(pid: number, isRoot: (pid: number) => boolean, all: Map<number, Process>): boolean {
  for (let at = all.get(pid)?.parent; at; at = all.get(at)?.parent) if (isRoot(at)) return true
  return false
}
