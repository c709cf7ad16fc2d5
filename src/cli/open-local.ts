import type { Config } from '../config.ts'
import type { Services } from '../core/context.ts'
import { runQueue } from '../core/runs/queue.ts'
import type { Local } from './cli.ts'

/** This machine's Molar: the database of the configuration, the key given or the local owner's, a worker where wanted. */
export async function openLocal(
  config: Config,
  log: Services['log'],
  options: { worker: boolean; window?: boolean; role?: string },
): Promise<Local> {
  const [{ openServices }, { localOwnerKey }, worker] = await Promise.all([
    import('../server/services.ts'),
    import('../auth/local.ts'),
    options.worker && config.workers !== 0 ? import('../worker/index.ts') : undefined,
  ])
  const services = await openServices(config, { log, role: options.role ?? 'cli' })
  try {
    const token = config.key ?? (await localOwnerKey(config.home, services.db, services.keyring))
    const running = await worker?.startWorker(services, config, { window: options.window ?? false })
    const seen = options.window && worker ? toQueue(services, worker.windowQueue) : services
    return {
      services: seen,
      credential: { kind: 'bearer', token },
      async close() {
        await running?.stop()
        await services.close()
      },
    }
  } catch (error) {
    await services.close()
    throw error
  }
}

/** The same services, whose runs go to another queue than the one that every worker takes from. */
function toQueue(services: Services, queue: string): Services {
  const send: Services['queue']['send'] = (name, data, how) =>
    services.queue.send(name === runQueue ? queue : name, data, how)
  return { ...services, queue: { send } }
}
