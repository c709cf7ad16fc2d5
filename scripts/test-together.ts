import { registerHooks } from 'node:module'
import { relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type Test, t } from 'tap'

// Test files in one process, one after another: to load Molar costs more than most of them do. Each gets a test
// of its own where it imports tap's, so that what it opens ends with it, and what it says stands under its name.

const root = fileURLToPath(new URL('..', import.meta.url))
const tests = new Map<string, Test>()
Object.assign(globalThis, { testOfFile: (url: string) => tests.get(url) })

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'tap' && tests.has(context.parentURL ?? '')
      ? { url: `test-of:${context.parentURL}`, format: 'module', shortCircuit: true }
      : next(specifier, context),
  load: (url, context, next) =>
    url.startsWith('test-of:')
      ? {
          format: 'module',
          source: `export default testOfFile(${JSON.stringify(url.slice('test-of:'.length))})`,
          shortCircuit: true,
        }
      : next(url, context),
})

/** The runner hands out files, one whenever the one before is done, until there is none. tap sends messages of its own. */
const next = (): Promise<string | null> =>
  new Promise((resolve) => {
    const listen = ({ file }: { file?: string | null }) => {
      if (file === undefined) return
      process.off('message', listen)
      resolve(file)
    }
    process.on('message', listen)
    process.channel?.ref() // which tap took back
    process.send!({ wants: 'file' })
  })

for (let path = await next(); path !== null; ) {
  const url = pathToFileURL(path).href
  let following: string | null = null
  await t.test(relative(root, path), { timeout: Number(process.env.TAP_TIMEOUT) * 1000 }, async (t) => {
    // Asked for while this one still ends: a moment without a test would be the end of all.
    t.teardown(async () => {
      following = await next()
    })
    tests.set(url, t)
    await import(url)
  })
  path = following
}
process.disconnect()
