import type { FastifyInstance } from 'fastify'

export interface CheckResult {
  ok: boolean
  message?: string
}

/** What the server needs to do its work, each by name (database, queue, blobs, browser). A check that throws is not ok. */
export type Checks = Record<string, () => Promise<CheckResult>>

/** `{status: ready | not_ready, checks}` */
export interface Readiness {
  status: 'ready' | 'not_ready'
  checks: Record<string, CheckResult>
}

/** A check that takes longer than this, in milliseconds, is not ok. */
const patience = 3000

/** Liveness asks nothing of anybody; readiness asks every part, once for all who ask at the same time. */
export function registerHealth(app: FastifyInstance, options: { checks: Checks; version: string }): void {
  const alive = JSON.stringify({ status: 'ok', version: options.version })
  app.get('/healthz', (_request, reply) => reply.type('application/json; charset=utf-8').send(alive))

  let running: Promise<Readiness> | undefined
  const ready = async () => {
    running ??= runChecks(options.checks).finally(() => {
      running = undefined
    })
    return running
  }
  for (const path of ['/readyz', '/v1/ready', '/api/v1/ready']) {
    app.get(path, { config: { alias: path.startsWith('/api') } }, async (_request, reply) => {
      const state = await ready()
      return reply.code(state.status === 'ready' ? 200 : 503).send(state)
    })
  }
}

async function runChecks(checks: Checks): Promise<Readiness> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await settle(check)] as const),
  )
  const ready = results.every(([, { ok }]) => ok)
  return { status: ready ? 'ready' : 'not_ready', checks: Object.fromEntries(results) }
}

/** The reason stays general: readiness is public, and a driver's message may name hosts and users. */
async function settle(check: () => Promise<CheckResult>): Promise<CheckResult> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<CheckResult>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, message: `no answer within ${patience / 1000} s` }), patience)
  })
  try {
    return await Promise.race([check(), late])
  } catch {
    return { ok: false, message: 'the check failed' }
  } finally {
    clearTimeout(timer)
  }
}
