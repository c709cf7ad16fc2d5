import { closeSync, openSync, readdirSync, readSync } from 'node:fs'

const pageBytes = 4096

/** Bytes that the browser that is process `root`, or those below it, keep for themselves, without what they share (Linux; undefined elsewhere). */
export function browserMemory(root: number): number | undefined {
  if (process.platform !== 'linux') return undefined
  return browserProcesses(root).reduce((sum, pid) => sum + ownBytes(pid), 0)
}

/** Ends the processes of pages that keep more than `most` bytes for themselves: the rest of the browser lives on. How many there were. */
export function endLargePages(root: number, most: number): number {
  if (process.platform !== 'linux') return 0
  const large = browserProcesses(root).filter((pid) => ownBytes(pid) > most)
  return large.filter((pid) => commandLine(pid).includes('--type=renderer')).filter(end).length
}

function end(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch {
    return false // it ended by itself
  }
}

function browserProcesses(root: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) if (/^\d+$/.test(name)) parents.set(Number(name), parentOf(Number(name)))
  const below = [...parents.keys()].filter((pid) => pid === root || descends(pid, (at) => at === root, parents))
  // The worker may have other children (a database): only what stands below a Chromium that obeys a pipe is ours.
  const browsers = new Set(below.filter((pid) => commandLine(pid).includes('--remote-debugging-pipe')))
  return below.filter((pid) => browsers.has(pid) || descends(pid, (at) => browsers.has(at), parents))
}

/** The name in parentheses may hold spaces and parentheses of its own. */
function parentOf(pid: number): number {
  const stat = read(pid, 'stat')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0)
}

function ownBytes(pid: number): number {
  const [, resident, shared] = read(pid, 'statm').split(' ').map(Number)
  return ((resident ?? 0) - (shared ?? 0)) * pageBytes
}

const commandLine = (pid: number): string => read(pid, 'cmdline')

const room = Buffer.alloc(16_384)

/** Empty where the process has just ended. readFile takes ten times the processor: it makes room for each file anew. */
function read(pid: number, file: string): string {
  let from: number
  try {
    from = openSync(`/proc/${pid}/${file}`, 'r')
  } catch {
    return ''
  }
  try {
    return room.toString('latin1', 0, readSync(from, room))
  } catch {
    return ''
  } finally {
    closeSync(from)
  }
}

function descends(pid: number, isRoot: (pid: number) => boolean, parents: Map<number, number>): boolean {
  for (let at = parents.get(pid); at; at = parents.get(at)) if (isRoot(at)) return true
  return false
}
