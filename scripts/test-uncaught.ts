import { flushCompileCache, registerHooks } from 'node:module'
import type { Base } from 'tap'

// Loaded before a test file. tap learns whose an error is that nobody caught by following every promise through async
// hooks, which takes a tenth of a test's time. Tests run one after another: such an error is that of the one that runs.

const hooks = registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'async-hook-domain' ? { url: 'no:domain', shortCircuit: true } : next(specifier, context),
  load: (url, context, next) =>
    url === 'no:domain'
      ? { format: 'module', source: 'export class Domain { destroy() {} }', shortCircuit: true }
      : next(url, context),
})

const { t, TestBase } = await import('tap')
hooks.deregister() // they are asked at every import

function running(test: Base): Base {
  const [inner] = test instanceof TestBase ? test.activeSubtests : []
  return inner ? running(inner) : test
}

const blame = (tapCaught: string) => (error: unknown) => {
  if (t.results) throw error // all tests are over: the process fails
  running(t).threw(Object.assign(error instanceof Error ? error : new Error(String(error)), { tapCaught }))
}
process.on('uncaughtException', blame('uncaughtException')).on('unhandledRejection', blame('unhandledRejection'))

// What this process compiled spares the others the same. It would write it when it ends.
setTimeout(flushCompileCache, 3000).unref()
