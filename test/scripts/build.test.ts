import { execFile } from 'node:child_process'
import { cpSync, existsSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { build, toJavaScript } from '../../scripts/build.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..', '..')

t.test(
  'types become white space and relative imports name JavaScript, and nothing else changes its place',
  async (t) => {
    const source = [
      `import type { A } from './a.ts'`,
      `import { b } from "./b.ts"`,
      `export * as store from '../store.ts'`,
      `import { join } from 'node:path'`,
      `const said: string = "from './quoted.ts'"`,
      'const load = async () => (await import("./verbs/c.ts")).c as A',
    ].join('\n')
    const plain = toJavaScript(source)
    t.notMatch(plain, /a\.ts/, 'an import of types is gone')
    for (const kept of [`"./b.js"`, `'../store.js'`, `'node:path'`, `"from './quoted.ts'"`, `import("./verbs/c.js")`])
      t.ok(plain.includes(kept), kept)
    t.strictSame(
      plain.split('\n').map((line) => line.length),
      source.split('\n').map((line) => line.length),
    )
  },
)

interface Packed {
  path: string
  mode: number
}

t.test('the package holds what it needs and no sources, and runs from its JavaScript', async (t) => {
  const folder = t.testdir({})
  await build(folder)
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] }
  for (const name of ['package.json', 'README.md', ...files])
    if (existsSync(join(root, name)) && name !== 'dist')
      cpSync(join(root, name), join(folder, name), { recursive: true })

  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const packing = await run(npm, ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: folder, timeout: 60_000 })
  const packed = JSON.parse(packing.stdout) as { files: Packed[] }[] | Record<string, { files: Packed[] }>
  const packedFiles = Object.values(packed)[0]!.files
  const paths = packedFiles.map(({ path }) => path)
  const executable = packedFiles.filter(({ mode }) => mode & 0o100).map(({ path }) => path)
  t.same(executable.sort(), ['bin/molar.js', 'dist/worker/browser/own-uid.sh'], 'what is to be executed can be')
  for (const path of [
    'bin/molar.js',
    'dist/main.js',
    'dist/db/sql/000001_roles.sql',
    'dist/core/scenarios/runtime.generated.js',
    'examples/shop/shop.js',
    'examples/shop/pages/cart.js',
    'examples/shop/client/cart.js',
    'examples/coupon.molar.md',
    'examples/mug.png',
    'docs/scenarios.md',
    'openapi.json',
    'capabilities.json',
    'LICENSE',
    'README.md',
  ])
    t.ok(paths.includes(path), path)
  t.strictSame(
    paths.filter((path) => /\.ts$|^(src|test|scripts|bench|node_modules)\//.test(path)),
    [],
  )

  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const molar = (...args: string[]) =>
    run(process.execPath, [join(folder, 'bin', 'molar.js'), ...args], { timeout: 30_000 })
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  t.equal((await run(process.execPath, [join(folder, 'dist', 'main.js'), '--version'])).stdout, `${version}\n`)
  t.match((await molar('--help')).stdout, /Start here[\s\S]*scenarios/, 'every command loads')
})
