import { type DestinationStream, destination, type Logger, pino, stdSerializers } from 'pino'
import { redacted, redactShapes } from '../worker/evidence/shapes.ts'

/** Beyond what evidence is scrubbed of: names that mean a secret to this server and its callers. */
const ours =
  'x-internal-token|idempotency-key|signature|secret|[\\w-]{0,40}[_-](?:token|secret|password|verifier)|otp|private_?key'
/** Of an address or a form alone: elsewhere these words are ordinary. */
const parameters = 'code|state|cursor|key'

const text = '"(?:[^"\\\\]|\\\\.){0,16384}"'
const texts = `\\[(?:${text},?){0,50}\\]`
const field = new RegExp(`("(?:${ours})":)(?:${text}|${texts})`, 'gi')
const list = new RegExp(`("(?:set-cookie|cookie|authorization)":)${texts}`, 'gi')
const nested = new RegExp(`(\\\\"(?:${ours})\\\\":\\s{0,8}\\\\")(?:(?!\\\\")[^"]){1,16384}`, 'gi')
const query = new RegExp(`([?&;])((?:${ours}|${parameters})=)[^&\\s"'\\\\<>#]{1,8192}`, 'gi')
const password = /\b([a-z][a-z0-9+.-]{0,20}:\/\/[^\s:@/"\\]{0,255}:)[^\s@/"\\]{1,1024}@/gi

/** A line without secrets: by what it holds and not by where it was put, so the next one to log something need not think of it. */
export const redact = (line: string): string =>
  redactShapes(
    line
      .replace(list, `$1"${redacted}"`)
      .replace(field, `$1"${redacted}"`)
      .replace(nested, `$1${redacted}`)
      .replace(query, `$1$2${redacted}`)
      .replace(password, `$1${redacted}@`),
  )

/** A log of JSON lines, none of which holds a secret; on stderr, because stdout belongs to protocols and to answers. */
export function makeLogger(level: string, stream: DestinationStream = destination({ fd: 2, sync: true })): Logger {
  // An error under another name than `err` would be told as {}.
  return pino({ level, serializers: { error: stdSerializers.err }, hooks: { streamWrite: redact } }, stream)
}
