import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ArtifactShelf } from './artifacts.ts'
import type { AttemptResult } from './attempt.ts'
import { type Frame, makeVideo, type Recorded, type Redactor, scrubBody, scrubTrace } from './evidence/index.ts'
import type { Recorder } from './recorder.ts'

/** Evidence that costs time, for those who ask for it. */
export interface WantedEvidence {
  rrweb: boolean
  video: boolean
  /** ffmpeg's path, where there is one. */
  ffmpeg: string | undefined
}

interface KeepContext {
  shelf: ArtifactShelf
  recorder: Recorder
  redactor: Redactor
  wanted: WantedEvidence
}

/** Scrubs and stores what an attempt recorded. Evidence that is broken is left out and said so: it fails no run. */
export async function keepEvidence(result: AttemptResult, context: KeepContext): Promise<void> {
  const { recorded } = result
  if (!recorded) return
  const trace = await keepTrace(recorded, context)
  const redact = trace?.redact ?? context.redactor
  keepDownloads(recorded, redact, context)
  keepReplay(recorded, redact, context)
  if (context.wanted.video) await keepVideo(await recorded.frames, context)
}

const warn = ({ recorder }: KeepContext, message: string) =>
  void recorder.emit({ kind: 'log', level: 'warn', about: 'evidence', message })

async function keepTrace({ trace: files, frames }: Recorded, context: KeepContext) {
  if (files === undefined) return undefined
  try {
    const trace = await scrubTrace(files, context.redactor, { frames })
    context.shelf.put(trace.zip, { kind: 'trace', name: 'trace.zip', mediaType: 'application/zip' })
    if (trace.har) context.shelf.put(trace.har, { kind: 'har', name: 'network.har', mediaType: 'application/json' })
    return trace
  } catch (error) {
    warn(context, `The Playwright trace could not be kept: ${(error as Error).message}`)
    return undefined
  }
}

function keepDownloads({ downloads }: Recorded, redact: Redactor, context: KeepContext): void {
  for (const { name, bytes, why } of downloads) {
    const plain = redact.text(name)
    if (!bytes) {
      warn(context, `The download ${plain} is not kept: ${why}.`)
      continue
    }
    const mediaType = 'application/octet-stream'
    const kept = scrubBody(name, bytes, redact)
    context.shelf.put(kept, { kind: 'download', name: plain, mediaType })
  }
}

function keepReplay({ replay }: Recorded, redact: Redactor, context: KeepContext): void {
  if (!replay) return
  if (replay.cut) warn(context, 'The rrweb recording is cut off: the pages changed too much.')
  if (replay.events.length === 0) return
  const bytes = Buffer.from(`${JSON.stringify(redact.json(replay.events))}\n`)
  context.shelf.put(redact.bytes(bytes), { kind: 'rrweb', name: 'rrweb.json', mediaType: 'application/json' })
}

async function keepVideo(frames: readonly Frame[], context: KeepContext): Promise<void> {
  const { ffmpeg } = context.wanted
  const video = ffmpeg === undefined ? undefined : await film(frames, ffmpeg).catch(() => undefined)
  if (video) context.shelf.put(video, { kind: 'video', name: 'video.webm', mediaType: 'video/webm' })
  else {
    const why = ffmpeg === undefined ? 'ffmpeg was not found' : 'ffmpeg could not make one'
    warn(context, `No video: ${why}. The frames are in trace.zip.`)
  }
}

async function film(frames: readonly Frame[], ffmpeg: string): Promise<Buffer | undefined> {
  const directory = await mkdtemp(join(tmpdir(), 'molar-video-')) // nobody else's: mkdtemp makes it 0700
  try {
    return await makeVideo(frames, { ffmpeg, path: join(directory, 'video.webm') })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
