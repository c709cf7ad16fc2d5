import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { type Frame, frameAt } from './film.ts'

const perSecond = 10
const longestSeconds = 600

/** The film as VP8 webm, made by ffmpeg. Undefined when there is no film or ffmpeg does not do it within `timeoutMs`. */
export async function makeVideo(
  frames: readonly Frame[],
  { ffmpeg, path, timeoutMs = 20_000 }: { ffmpeg: string; path: string; timeoutMs?: number },
): Promise<Buffer | undefined> {
  const first = frames[0]
  const last = frames.at(-1)
  if (!first || !last) return undefined
  const input = ['-f', 'image2pipe', '-framerate', String(perSecond), '-c:v', 'mjpeg', '-i', '-']
  const output = ['-c:v', 'libvpx', '-deadline', 'realtime', '-b:v', '1M', '-pix_fmt', 'yuv420p', '-f', 'webm', path]
  const child = spawn(ffmpeg, ['-v', 'error', '-y', ...input, ...output], {
    stdio: ['pipe', 'ignore', 'ignore'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  })
  const ended = new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(false)).once('exit', (code) => resolve(code === 0))
  })
  child.stdin.on('error', () => undefined)
  const count = Math.min(Math.ceil(((last.at - first.at) / 1000) * perSecond) + perSecond, longestSeconds * perSecond)
  for (let index = 0; index < count; index++) {
    const frame = frameAt(frames, first.at + (index * 1000) / perSecond)
    if (!frame || child.stdin.destroyed) break
    if (!child.stdin.write(frame.image)) await Promise.race([new Promise((go) => child.stdin.once('drain', go)), ended])
  }
  child.stdin.end()
  return (await ended) ? readFile(path).catch(() => undefined) : undefined
}
