import { type DestinationStream, destination, type Logger, type LoggerOptions, pino } from 'pino'

/** Headers and fields that never reach a log, wherever an object with them is logged. */
const hidden = ['authorization', 'cookie', 'set-cookie', 'x-internal-token'].flatMap((name) =>
  ['', 'headers', 'req.headers', 'res.headers', 'err.headers'].map((at) =>
    at === '' ? `["${name}"]` : `${at}["${name}"]`,
  ),
)

const options = (level: string): LoggerOptions => ({ level, redact: { paths: hidden, censor: '[redacted]' } })

/** The process's log, as JSON lines on stderr: stdout belongs to protocols and to answers. */
export function makeLogger(level: string, stream: DestinationStream = destination({ fd: 2, sync: true })): Logger {
  return pino(options(level), stream)
}
