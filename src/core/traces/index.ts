import { traceBlob } from './blob.ts'
import { traceEvents } from './events.ts'
import { getTrace } from './get.ts'
import { listTraces } from './list.ts'
import { pinTrace } from './pin.ts'
import { traceReport } from './report.ts'
import { streamTrace } from './stream.ts'
import { unpinTrace } from './unpin.ts'

export const traceCommands = [
  listTraces,
  getTrace,
  traceEvents,
  streamTrace,
  traceBlob,
  traceReport,
  pinTrace,
  unpinTrace,
]
