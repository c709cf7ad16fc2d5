import type { Config } from '../config.ts'
import type { Services } from '../core/context.ts'
import { runQueue } from '../core/runs/queue.ts'
import type { OpenServices } from '../server/services.ts'
import type { Local } from './cli.ts'

/** How long a worker that may start later waits for a job of this process; others may have left some. */
const laterMs = 2000

/** This machine's Molar: the database of the configuration, the key given or the local owner's, a worker where wanted. */
export async function openLocal(
  config: Config,
  log: Services['log'],
  options: { worker: boolean | 'later'; window?: boolean; role?: string },
): Promise<Local> {
  const wanted = options.worker && config.workers !== 0
  const now = wanted && options.worker !== 'later'
  const [{ openServices }, { localOwnerKey }, worker] = await Promise.all([
    import('../server/services.ts'),
    import('../auth/local.ts'),
    now ? import('../worker/index.ts') : undefined,
  ])
  const services = await openServices(config, { log, role: options.role ?? 'cli' })
  try {
    const token = config.key ?? (await localOwnerKey(config.home, services.db, services.keyring))
    const running = await worker?.startWorker(services, config, { window: options.window ?? false })
    const later = wanted && !now ? laterWorker(services, config) : undefined
    const sending = later ? onSend(services, later.begin) : services
    return {
      services: options.window && worker ? toQueue(services, worker.windowQueue) : sending,
      credential: { kind: 'bearer', token },
      async close() {
        await (running ?? later)?.stop()
        await services.close()
      },
    }
  } catch (error) {
    await services.close()
    throw error
  }
}

/** A worker that starts at the first job, or in a while: its browser driver takes longer to load than a command to answer. */
function laterWorker(services: OpenServices, config: Config) {
  let starting: Promise<{ stop(): Promise<void> } | undefined> | undefined
  let timer = setTimeout(begin, laterMs).unref()
  let stopped = false

  function begin(): void {
    clearTimeout(timer)
    if (!stopped) starting ??= start()
  }

  async function start() {
    try {
      const { startWorker } = await import('../worker/index.ts')
      return await startWorker(services, config)
    } catch (error) {
      services.log.error({ err: error }, 'the worker could not be started; it is tried again')
      starting = undefined
      timer = setTimeout(begin, laterMs).unref()
      return undefined
    }
  }

  return {
    begin,
    async stop() {
      stopped = true
      clearTimeout(timer)
      await (await starting)?.stop()
    },
  }
}

/** The same services, which tell when a job was sent. */
function onSend(services: Services, sent: () => void): Services {
  const send: Services['queue']['send'] = async (...job) => {
    await services.queue.send(...job)
    sent()
  }
  return { ...services, queue: { send } }
}

/** The same services, whose runs go to another queue than the one that every worker takes from. */
function toQueue(services: Services, queue: string): Services {
  const send: Services['queue']['send'] = (name, data, how) =>
    services.queue.send(name === runQueue ? queue : name, data, how)
  return { ...services, queue: { send } }
}
