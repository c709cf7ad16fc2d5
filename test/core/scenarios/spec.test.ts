import { spawn } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { compileScenario, emitSpec } from '../../../src/core/scenarios/language/index.ts'
import { launchOptions } from '../../fixtures/browser.ts'

const root = join(import.meta.dirname, '../../..')

function compile(body: string, more = '', slug = 'demo') {
  const source = `---\nspec_version: '1.0'\nid: 019301c0-cafe-7000-bea7-000000000001\nslug: ${slug}\ndescription: b\n${more}---\n# Shop \`\${x}\` */ "q"\n\n${body}\n`
  const result = compileScenario(source)
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result
}

/** Runs specs under plain Playwright against a page of the test's own; gives its JSON report. */
async function playwright(specs: Record<string, string>, env: Record<string, string>) {
  const folder = await mkdtemp(join(tmpdir(), 'molar-spec-'))
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  const use = { launchOptions: await launchOptions() }
  // Node strips the types itself. Playwright's own compiler takes half a second for each file, and reads one all the same.
  const build = { external: ['**/good.spec.ts'] }
  const config = `export default ${JSON.stringify({ workers: 1, reporter: 'json', use, build })}`
  await writeFile(join(folder, 'playwright.config.ts'), config)
  for (const [name, text] of Object.entries(specs)) await writeFile(join(folder, name), text)
  const child = spawn(join(root, 'node_modules/.bin/playwright'), ['test'], {
    cwd: folder,
    env: {
      PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}`,
      HOME: folder,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 90_000,
  })
  let output = ''
  for await (const part of child.stdout) output += part
  await rm(folder, { recursive: true })
  return JSON.parse(output) as { suites: { specs: { title: string; ok: boolean; tests: { results: Result[] }[] }[] }[] }
}

interface Result {
  errors: { message: string }[]
  steps?: { title: string }[]
  annotations: { type: string; description: string }[]
}

t.test('an emitted spec passes, fails and warns as the scenario does, with nothing of ours installed', async (t) => {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    response.setHeader('content-type', 'text/html')
    response.statusCode = request.url === '/reset' ? 500 : 200
    response.end(
      '<title>Shop</title><label>Email <input></label><button onclick="confirm(`sure?`) && (out.textContent = document.querySelector(`input`).value)">Pay</button><p id=out></p>',
    )
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.teardown(() => server.close())
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const used = compile('## Steps\n1. Navigate to /\n2. Remember text of button as word', '', 'login')
  const good = compile(
    '## Setup\n- Click "nothing here" {optional, timeout: 300ms}\n\n## Steps\n1. Fill "Email" with "${who} ${secrets.TOKEN} ${data.city}\u2028"\n2. Click "Pay"\n3. Accept dialog\n4. Assert text "ada s3cret" is visible\n5. Assert ${remembered.word} is "Pay"\n\n## Teardown\n- Request GET /reset expects 204\n- Request GET /last expects 200',
    'variables: { who: ada }\nsecrets: [TOKEN]\ndata: [{ city: Rome }, { city: Oslo }]\nuses: [login]\nstep_timeout_ms: 3000\n',
  )
  const bad = compile('## Steps\n1. Navigate to /\n2. Assert text "Paid" is visible {timeout: 300ms}', '', 'bad')
  const specs = {
    'good.spec.ts': emitSpec(good.plan, { uses: { login: used.plan } }),
    'z-bad.spec.ts': emitSpec(bad.plan), // last: after one that fails Playwright starts a new worker and browser
  }
  const report = await playwright(specs, { BASE_URL: baseUrl, MOLAR_SECRET_TOKEN: 's3cret' })
  const results = report.suites.flatMap(({ specs }) => specs)
  t.same(results.map(({ title, ok }) => `${title} ${ok}`).sort(), [
    'Shop `${x}` */ "q" (row 1) true',
    'Shop `${x}` */ "q" (row 2) true',
    'Shop `${x}` */ "q" false',
  ])
  const [passed] = results.filter(({ ok }) => ok).map(({ tests }) => tests[0]?.results[0])
  t.match(passed?.annotations, [{ type: 'optional step failed' }, { type: 'warning' }])
  t.ok(seen.includes('GET /last'), 'a failing step of the teardown does not keep the next from running')
  const failed = results.find(({ ok }) => !ok)?.tests[0]?.results[0]
  t.match(failed?.errors[0]?.message, /Paid/)
})

t.test('no word of a scenario stands in a comment, and missing uses are said', async (t) => {
  const spec = emitSpec(compile('## Steps\n1. Click "*/ alert(1) //\u2029"', 'uses: [login]\n').plan)
  t.match(spec, /steps are not in here/)
  const comments = spec.split('\n').filter((line) => /^\s*(\/\/|\/?\*)/.test(line))
  t.notOk(comments.some((line) => line.includes('alert(1)') || line.includes('Shop')))
  t.notOk(/[\u2028\u2029]/.test(spec))
  t.match(spec, /^\/\/ @ts-nocheck\n/)
})
