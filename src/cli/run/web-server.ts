import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fail } from '../../core/errors.ts'
import type { WebServer } from '../../core/scenarios/language/index.ts'

export interface RunningWebServer {
  /** Whether it was there before. */
  reused: boolean
  /** What it said last, for who wonders why scenarios failed. */
  output(): string
  /** Ends it and all that it started. */
  stop(): Promise<void>
}

export interface WebServerOptions {
  /** The folder of the project file. */
  folder: string
  environment: Record<string, string>
  ci: boolean
  signal: AbortSignal
}

const keptOutput = 16_000
const shownLines = 30
const graceMs = 5000

/**
 * Starts the project's server and waits until its URL answers. One that answers already is used as it is, unless
 * `reuse` or CI say otherwise. Throws `unavailable` with what the server said.
 */
export async function startWebServer(server: WebServer, options: WebServerOptions): Promise<RunningWebServer> {
  if (await answers(server.url)) {
    if (server.reuse ?? !options.ci) return { reused: true, output: () => '', stop: async () => {} }
    fail(
      'conflict',
      `web_server: ${server.url} answers already, and it is not to be reused${server.reuse === undefined ? ' in CI' : ''}. Stop what runs there, or set reuse: true.`,
    )
  }
  const running = launch(server, options)
  try {
    await untilReady(server, running, options.signal)
    return { reused: false, output: running.output, stop: running.stop }
  } catch (error) {
    await running.stop()
    throw error
  }
}

interface Launched extends Pick<RunningWebServer, 'output' | 'stop'> {
  /** How it ended; undefined while it runs. */
  ended(): string | undefined
}

function launch({ command, cwd }: WebServer, { folder, environment }: WebServerOptions): Launched {
  // A process group of its own: what the shell starts, and what that starts, ends with it.
  const grouped = process.platform !== 'win32'
  const child = spawn(command, {
    cwd: join(folder, cwd),
    env: environment,
    shell: true,
    detached: grouped,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  let ended: string | undefined
  const hear = (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-keptOutput)
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  child.once('error', (error) => {
    ended = error.message
  })
  child.once('exit', (code, signal) => {
    ended ??= signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`
  })
  const output = () => said.trimEnd().split('\n').slice(-shownLines).join('\n')
  let stopping: Promise<void> | undefined
  const stop = () => (stopping ??= end(child, grouped))
  // Should this process end without its farewells, the group must not stay behind.
  const last = () => kill(child, grouped, 'SIGKILL')
  process.once('exit', last)
  return { output, ended: () => ended, stop: () => stop().finally(() => process.off('exit', last)) }
}

async function untilReady(server: WebServer, running: Launched, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + server.timeout_ms
  const tell = (why: string) =>
    fail('unavailable', `web_server: \`${server.command}\` ${why}.${quoted(running.output())}`)
  for (;;) {
    if (signal.aborted) fail('cancelled', 'Stopped.')
    const ended = running.ended()
    if (ended !== undefined) tell(`did not serve ${server.url}: ${ended}`)
    if (await answers(server.url)) return
    if (performance.now() > deadline) tell(`did not answer at ${server.url} within ${server.timeout_ms / 1000} s`)
    await sleep(100)
  }
}

const quoted = (output: string): string => (output === '' ? ' It said nothing.' : ` It said:\n${output}`)

/** Any answer but a server's own trouble says that it is ready. */
async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(2000) })
    await response.body?.cancel()
    return response.status < 500
  } catch {
    return false
  }
}

async function end(child: ChildProcess, grouped: boolean): Promise<void> {
  kill(child, grouped, 'SIGTERM')
  const deadline = performance.now() + graceMs
  while (performance.now() < deadline && isAlive(child, grouped)) await sleep(50)
  kill(child, grouped, 'SIGKILL')
  child.stdout?.destroy()
  child.stderr?.destroy()
  child.unref()
}

function kill(child: ChildProcess, grouped: boolean, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    if (grouped) process.kill(-child.pid, signal)
    else spawn('taskkill', ['/pid', String(child.pid), '/t', '/f'])
  } catch {
    // it has ended
  }
}

/** Whether anything of its group is left. */
function isAlive(child: ChildProcess, grouped: boolean): boolean {
  if (child.pid === undefined) return false
  if (!grouped) return child.exitCode === null
  try {
    process.kill(-child.pid, 0)
    return true
  } catch {
    return false
  }
}
