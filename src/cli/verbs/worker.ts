import type { Verb } from '../cli.ts'
import { serverLog } from '../log.ts'
import { stopSignal } from '../stop.ts'
import { untilAborted } from '../until.ts'

/** `molar worker`: executes queued runs until it is told to stop; it then gives back what it cannot finish. */
export const verb: Verb = {
  define(parser) {
    parser.option('--slots <number>', 'Runs at once; by the processors unless told (MOLAR_WORKERS)')
  },
  async run({ options }, cli) {
    const config = cli.config()
    const stop = stopSignal()
    const { readSlots } = await import('../slots.ts')
    const workers = readSlots(options.slots) ?? config.workers
    const log = serverLog(config)
    const [{ openServices }, { startWorker }] = await Promise.all([
      import('../../server/services.ts'),
      import('../../worker/index.ts'),
    ])
    const services = await openServices(config, { log, role: 'worker' })
    try {
      const worker = await startWorker(services, { ...config, workers })
      log.info({ slots: worker.slots }, 'the worker takes runs')
      await untilAborted(stop)
      await worker.stop()
    } finally {
      await services.close()
    }
    return 0
  },
}
