import { setImmediate as afterAccepting, setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { fail } from '../core/errors.ts'

/** A client that keeps its connection may send just now: it is still answered, and told that the connection ends. */
const longestLullMs = 1500

/**
 * Fastify's close waits for every request under way, however long: after the grace (milliseconds) their connections are
 * cut. Those that finish in between leave their connection open for another request, which is then refused.
 */
export function stopGently(app: FastifyInstance, grace: number): void {
  const timers: NodeJS.Timeout[] = []
  let stopping = false
  app.addHook('onRequest', (_request, _reply, done) => {
    if (stopping)
      fail('unavailable', 'The server is stopping. Try again in a moment.', { details: { retry_after_seconds: 1 } })
    done()
  })
  // In a scope of its own, which comes last: streams are told before it waits.
  app.register(async (scope) => {
    scope.addHook('preClose', async () => {
      await lull(app)
      stopping = true
      timers.push(setTimeout(() => app.server.closeAllConnections(), grace))
      timers.push(setInterval(() => app.server.closeIdleConnections(), 50))
      // The system resets connections that nobody has taken yet: so close just when all of them are.
      await afterAccepting()
    })
  })
  app.addHook('onClose', async () => timers.forEach(clearTimeout))
}

/** Over when nobody is connected any more. */
async function lull(app: FastifyInstance): Promise<void> {
  const connections = promisify(app.server.getConnections).bind(app.server)
  for (const end = performance.now() + longestLullMs; performance.now() < end; await sleep(25))
    if ((await connections()) === 0) return
}
