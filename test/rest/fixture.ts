import type { FastifyInstance } from 'fastify'
import type { Command } from '../../src/core/command.ts'
import { type AppConfig, buildApp } from '../../src/server/app.ts'
import { makeLogger } from '../../src/server/log.ts'
import { type FixtureServices, fixtureCommands, fixtureServices, tokens } from '../fixtures/commands.ts'

export const auth = { authorization: `Bearer ${tokens.owner}` }

export interface FixtureApp {
  app: FastifyInstance
  services: FixtureServices
  /** What was logged, as parsed lines. */
  logged: Record<string, unknown>[]
}

/** The whole HTTP server over the shared fixture commands and more of the test's own. */
export async function fixtureApp(config: Partial<AppConfig> = {}, more: readonly Command[] = []): Promise<FixtureApp> {
  const services = fixtureServices()
  const logged: Record<string, unknown>[] = []
  const log = makeLogger('info', { write: (line) => void logged.push(JSON.parse(line)) })
  const app = await buildApp({
    services: async () => services,
    commands: [...fixtureCommands, ...more],
    config: { host: '127.0.0.1', publicUrl: null, allowedHosts: [], allowedOrigins: [], ...config },
    version: '0.0.0-test',
    log,
  })
  return { app, services, logged }
}
