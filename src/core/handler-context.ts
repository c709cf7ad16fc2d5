import type { Command } from './command.ts'
import type { CallContext, HandlerContext, JobOptions, Queries, Services } from './context.ts'
import { signedPages } from './cursor.ts'
import { mailJob } from './mail.ts'
import type { Principal } from './principal.ts'

/** What is known of a call; the principal perhaps only later (see stages/arrival.ts), so it is read when asked for. */
export interface CallFacts {
  command: Command
  services: Services
  context: CallContext
  readonly principal: Principal
}

/** What the handler of a call gets. `tx` is the write's transaction. */
export function handlerContext(
  facts: CallFacts,
  db: Queries,
  input: Record<string, unknown>,
  tx?: Queries,
): HandlerContext {
  const { services, context, command } = facts
  const { limit: _limit, cursor: _cursor, fields: _fields, ...filters } = input
  const enqueue = (name: string, data: object, options?: Omit<JobOptions, 'orgId' | 'tx'>) =>
    services.queue.send(name, data, { ...options, orgId: facts.principal.org.id, ...(tx && { tx }) })
  return {
    get principal() {
      return facts.principal
    },
    db,
    pages: signedPages(services.keyring.cursors, () => ({
      command: command.name,
      org: facts.principal.org.id,
      filters,
    })),
    blobs: services.blobs,
    live: services.live,
    keyring: services.keyring,
    checkpoints: services.checkpoints,
    egress: services.egress,
    localSecrets: services.localSecrets,
    scrubber: services.scrubber,
    publicUrl: services.publicUrl,
    settings: services.settings,
    enqueue,
    mail: (message) => enqueue('mail', mailJob(services.keyring, message)),
    door: context.door,
    requestId: context.requestId,
    signal: context.signal ?? new AbortController().signal,
    log: services.log,
  }
}
