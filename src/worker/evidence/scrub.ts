import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { strFromU8, strToU8, unzipSync, type Zippable, zipSync } from 'fflate'
import type { Frame } from './film.ts'
import { makeHar } from './har.ts'
import { isFields, passwordsIn } from './passwords.ts'
import type { Redactor } from './redact.ts'
import { scrubBody } from './scrub-body.ts'
import { scrubEvent } from './scrub-event.ts'
import { largestTrace, type TraceFiles } from './trace-files.ts'

const packed = /\.(?:jpe?g|png|webp|gif|woff2?|mp4|webm|zip|gz)$/i
const lines = /\.(?:trace|network)$/
const stacks = /\.stacks$/

/** What a run keeps of Playwright's trace; nothing of it holds a known secret. */
export interface ScrubbedTrace {
  /** Still a trace.zip, which Playwright's viewer opens. */
  zip: Buffer
  /** What was exchanged with servers, as HAR 1.2; absent where nothing was. */
  har?: Buffer
  /** The redactor that knows the typed passwords of this trace as well. */
  redact: Redactor
}

/** The same for a trace.zip's bytes, as bytes. Throws where they are no zip, or a huge one. */
export async function scrubTraceZip(zip: Uint8Array, redactor: Redactor, options: ScrubOptions = {}): Promise<Buffer> {
  return (await scrubTrace(unpack(zip), redactor, options)).zip
}

interface ScrubOptions {
  /** Typed passwords beside those that the trace itself tells of. */
  passwordValues?: readonly string[]
  /** A film to put into it, which may still be going on. */
  frames?: readonly Frame[] | Promise<readonly Frame[]>
}

/** Secrets and typed passwords out of a Playwright trace. */
export async function scrubTrace(
  entries: TraceFiles,
  redactor: Redactor,
  options: ScrubOptions = {},
): Promise<ScrubbedTrace> {
  const events = new Map(
    Object.entries(entries)
      .filter(([name]) => lines.test(name))
      .map(([name, bytes]) => [name, parseLines(bytes)]),
  )
  const redact = knowing(redactor, [...(options.passwordValues ?? []), ...passwordsIn([...events.values()].flat())])
  const result: Zippable = {}
  const bodies = new Map<string, Buffer>()
  const renamed = new Map<string, string>()
  for (const [name, bytes] of Object.entries(entries)) {
    if (events.has(name) || stacks.test(name)) continue
    // Other runs of this worker wait on the same event loop.
    await setImmediate()
    const clean = scrubBody(name, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), redact)
    const to = clean.equals(bytes) ? name : renameByContent(name, clean, renamed)
    bodies.set(to, clean)
    result[to] = [clean, { level: packed.test(name) ? 0 : 2 }]
  }
  const frames = (await options.frames) ?? []
  const clean = new Map<string, unknown[]>()
  for (const [name, list] of events) {
    await setImmediate()
    const scrubbed = list.map((event) => scrubEvent(event, redact, renamed))
    for (const [file, image, event] of filmed(scrubbed, frames)) {
      result[file] = [image, { level: 0 }]
      scrubbed.push(event)
    }
    clean.set(name, scrubbed)
    const text = scrubbed.map((event) => JSON.stringify(event)).join('\n')
    result[name] = strToU8(text && `${text}\n`)
  }
  for (const name of Object.keys(entries)) {
    // Call stacks show the worker's own files, which are no business of whoever reads the trace.
    if (stacks.test(name)) result[name] = strToU8('{"files":[],"stacks":[]}')
  }
  const body = (name: string) => bodies.get(name)
  const har = makeHar(
    [...clean].flatMap(([name, list]) => (name.endsWith('.network') ? list : [])),
    body,
  )
  return {
    zip: Buffer.from(zipSync(result, { level: 2, mtime: new Date('1980-01-02T00:00:00') })),
    ...(har && { har }),
    redact,
  }
}

/** Frames as a trace has them: files, and the events that name them. None where its clock is not told, as in a .network file. */
function filmed(events: readonly unknown[], frames: readonly Frame[]): [file: string, image: Buffer, event: object][] {
  const start = events.find((event) => isFields(event) && event.type === 'context-options')
  const { wallTime, monotonicTime } = isFields(start) ? start : {}
  if (typeof wallTime !== 'number' || typeof monotonicTime !== 'number') return []
  return frames.map(({ at, page, width, height, image }) => {
    const file = `screencast/${page}-${Math.round(at)}.jpeg`
    const timestamp = at - wallTime + monotonicTime
    return [
      file,
      image,
      { type: 'screencast-frame', pageId: page, file, width, height, timestamp, frameSwapWallTime: at },
    ]
  })
}

function unpack(zip: Uint8Array): TraceFiles {
  let total = 0
  return unzipSync(zip, {
    filter(file) {
      total += file.originalSize
      if (total > largestTrace) throw new Error(`The trace unpacks to more than ${largestTrace} bytes.`)
      return true
    },
  })
}

/** A last line may be cut off when the browser crashed: what does not parse is dropped. */
function parseLines(bytes: Uint8Array): unknown[] {
  return strFromU8(bytes)
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as unknown]
      } catch {
        return []
      }
    })
}

function knowing(redactor: Redactor, values: string[]): Redactor {
  const distinct = [...new Set(values)]
  // While someone types, a field holds every beginning of the password: only the whole is worth looking for elsewhere.
  const whole = distinct.filter((value) => !distinct.some((other) => other !== value && other.startsWith(value)))
  return redactor.with(
    Object.fromEntries(whole.map((value, index) => [index === 0 ? 'password' : `password_${index + 1}`, value])),
  )
}

/** A resource is named by the SHA-1 of its content: the old name would confirm a guess at what was taken out. */
function renameByContent(name: string, content: Buffer, renamed: Map<string, string>): string {
  const match = /^(resources\/)?([0-9a-f]{40})(\.[\w-]+)?$/.exec(name)
  if (!match) return name
  const fresh = `${createHash('sha1').update(content).digest('hex')}${match[3] ?? ''}`
  renamed.set(`${match[2]}${match[3] ?? ''}`, fresh)
  return `${match[1] ?? ''}${fresh}`
}
