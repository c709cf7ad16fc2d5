import { registerHooks } from 'node:module'
import t from 'tap'

// What a start loads. Each of these costs a tenth to half a second of processor time, and most starts never use it.

const heavy = [
  'better-auth',
  '@better-auth/passkey',
  'oidc-provider',
  'playwright-core',
  'rrweb',
  'micromark',
  'nodemailer',
  'prom-client',
  'pg-boss',
  'undici',
  '@modelcontextprotocol/node',
]

t.test('a server that only answers loads no browser, sign-in, mail, metrics or queue', async (t) => {
  const loaded = new Set<string>()
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context)
      const [, name] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(resolved.url) ?? []
      if (name) loaded.add(name)
      return resolved
    },
  })
  await import('../../src/server/serve.ts')
  hooks.deregister()
  t.ok(loaded.has('fastify'))
  t.same(
    heavy.filter((name) => loaded.has(name)),
    [],
  )
})
