import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { type Frame, frameAt } from './film.ts'

const perSecond = 10
const longestSeconds = 600

/**
 * The size that most frames have holds for all: a page's first ones are of before it had its viewport, and a new tab may
 * have another. ffmpeg would squeeze all into the first one's.
 */
function fitted(frames: readonly Frame[]): string {
  const counts = new Map<string, number>()
  for (const { image } of frames) {
    const size = sizeOf(image)
    counts.set(size, (counts.get(size) ?? 0) + 1)
  }
  const [[size] = ['']] = [...counts].sort(([, one], [, other]) => other - one)
  return `scale=${size}:force_original_aspect_ratio=decrease,pad=${size}:-1:-1:white`
}

/** `width:height` of a JPEG, each even, as the video's colours need it: from its frame header (SOF0 to SOF3). */
function sizeOf(jpeg: Buffer): string {
  for (let at = 2; at + 9 < jpeg.length; at += 2 + jpeg.readUInt16BE(at + 2)) {
    if ((jpeg[at + 1]! & 0xfc) !== 0xc0) continue
    const [height, width] = [jpeg.readUInt16BE(at + 5), jpeg.readUInt16BE(at + 7)]
    return `${width - (width % 2)}:${height - (height % 2)}`
  }
  return '800:450'
}

/** The film as VP8 webm, made by ffmpeg. Undefined when there is no film or ffmpeg does not do it within `timeoutMs`. */
export async function makeVideo(
  frames: readonly Frame[],
  { ffmpeg, path, timeoutMs = 20_000 }: { ffmpeg: string; path: string; timeoutMs?: number },
): Promise<Buffer | undefined> {
  const first = frames[0]
  const last = frames.at(-1)
  if (!first || !last) return undefined
  const input = ['-f', 'image2pipe', '-framerate', String(perSecond), '-c:v', 'mjpeg', '-i', '-']
  const output = [
    '-vf',
    fitted(frames),
    '-c:v',
    'libvpx',
    '-deadline',
    'realtime',
    '-b:v',
    '1M',
    '-pix_fmt',
    'yuv420p',
    '-f',
    'webm',
    path,
  ]
  const child = spawn(ffmpeg, ['-v', 'error', '-y', ...input, ...output], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  // Not spawn's own timeout: of a program that is not there it would keep the process alive.
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
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
  const made = await ended
  clearTimeout(timer)
  return made ? readFile(path).catch(() => undefined) : undefined
}
