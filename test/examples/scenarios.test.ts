import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { startShop } from '../../examples/shop/shop.ts'
import { launchOptions } from '../fixtures/browser.ts'
import { world } from '../fixtures/world.ts'

// The worker and plain Playwright say the same of every example, with the bug planted in the shop and without it.

const examples = fileURLToPath(new URL('../../examples/', import.meta.url))
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))
const secrets = { USER_PASSWORD: 'correct-horse-battery', CARD_NUMBER: '4242424242424242' }
const slugs = (await readdir(examples))
  .filter((name) => name.endsWith('.molar.md'))
  .map((name) => name.replace('.molar.md', ''))

const here = await world(t, { workers: 2 })
const asset = {
  name: 'mug.png',
  media_type: 'image/png',
  base64: (await readFile(join(examples, 'mug.png'))).toString('base64'),
}
const files = await Promise.all(
  slugs.map(async (slug) => ({
    file: `${slug}.molar.md`,
    content: await readFile(join(examples, `${slug}.molar.md`), 'utf8'),
    assets: slug === 'catalogue' ? [asset] : [],
  })),
)

t.equal(slugs.length, 8, 'there are eight examples')

t.test('on the shop with the coupon bug both fail coupon alone, at the same step', async (t) => {
  const shop = await startShop({ bugs: ['coupon-rounding'] })
  t.teardown(() => shop.close())
  const runs = await runAll(shop.url)
  t.same(failedOf(runs), ['coupon'])
  const coupon = runs.find((run: any) => run.slug === 'coupon')
  t.match(coupon.failure.step.text, /Assert text "Coupon/)
  t.match(coupon.diagnosis.evidence[0], {
    kind: 'request_failed',
    text: /POST .*\/api\/coupon answered 500/,
    seq: [Number],
  })
  t.ok(JSON.stringify(coupon.diagnosis).length / 4 < 1500, 'the diagnosis has at most 1,500 tokens')
  const specs = await runSpecs(shop.url)
  t.same(specs.failed, ['coupon'], specs.output)
  t.ok(specs.output.includes(JSON.stringify(coupon.failure.step.text).slice(1, -1)), 'the spec fails at the same step')
})

t.test('on the sound shop the worker passes coupon', async (t) => {
  const shop = await startShop({})
  t.teardown(() => shop.close())
  const { body } = await here.rest('POST /v1/runs/batch', { scenarios: ['coupon'], base_url: shop.url })
  t.equal(body.verdict, 'passed', JSON.stringify(body))
})

async function runAll(base_url: string) {
  let { body } = await here.rest('POST /v1/runs/batch', { files, base_url, secrets, wait: 50 })
  for (let round = 0; body.verdict === 'running' && round < 3; round++) {
    const ended = await Promise.all(body.runs.map((run: any) => here.rest(`GET /v1/runs/${run.id}/wait?seconds=50`)))
    body = { verdict: 'done', runs: ended.map((one) => one.body.runs[0]) }
    if (body.runs.some((run: any) => ['queued', 'running'].includes(run.status))) body.verdict = 'running'
  }
  return body.runs
}

const failedOf = (runs: any[]) => runs.filter((run) => run.status !== 'passed').map((run) => run.slug)

/** Every example, compiled and run by plain `npx playwright test` in a folder that has nothing of ours. */
async function runSpecs(baseUrl: string): Promise<{ failed: string[]; output: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'molar-specs-'))
  try {
    const { body } = await here.rest('POST /v1/scenarios/compile', {
      files: files.map(({ file, content }) => ({ file, content })),
    })
    // The one that fails comes last: after it Playwright starts a new worker and browser.
    for (const { file, content } of body.files)
      await writeFile(join(folder, file.replace(/^coupon/, 'z-coupon')), content)
    await cp(join(examples, 'mug.png'), join(folder, 'mug.png'))
    await symlink(modules, join(folder, 'node_modules'))
    const use = { launchOptions: await launchOptions() }
    // Node strips the types itself. Playwright's own compiler takes half a second for each file, and reads one all the same.
    const build = { external: ['**/!(z-coupon).spec.ts'] }
    await writeFile(
      join(folder, 'playwright.config.ts'),
      `export default ${JSON.stringify({ workers: 1, reporter: 'json', use, build })}`,
    )
    const env = {
      ...process.env,
      MOLAR_BASE_URL: baseUrl,
      MOLAR_SECRET_USER_PASSWORD: secrets.USER_PASSWORD,
      MOLAR_SECRET_CARD_NUMBER: secrets.CARD_NUMBER,
    }
    const output = await new Promise<string>((resolve) =>
      execFile(
        process.execPath,
        [join(modules, '@playwright/test/cli.js'), 'test'],
        { cwd: folder, env, maxBuffer: 64 << 20 },
        (_error, stdout) => resolve(stdout),
      ),
    )
    const report = JSON.parse(output)
    const failed = report.suites
      .filter((suite: any) => !suite.specs.every((spec: any) => spec.ok))
      .map((suite: any) => suite.file.replace(/^z-|\.spec\.ts$/g, ''))
    return {
      failed,
      output:
        JSON.stringify(report.errors) +
        JSON.stringify(
          report.suites.flatMap((suite: any) =>
            suite.specs.flatMap((spec: any) =>
              spec.tests.flatMap((test: any) =>
                test.results.map((one: any) =>
                  one.steps?.filter((step: any) => step.error).map((step: any) => step.title),
                ),
              ),
            ),
          ),
        ),
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
