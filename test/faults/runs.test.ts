import { execFileSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { strFromU8, unzipSync } from 'fflate'
import pg from 'pg'
import t from 'tap'
import { newId } from '../../src/core/ids.ts'
import { hostileApp } from '../fixtures/hostile-app.ts'
import { selfSigned } from '../fixtures/self-signed.ts'
import { world } from '../fixtures/world.ts'

// Whatever the application does, a run ends, soon, with a verdict that says why; and it neither escapes nor tells secrets.

/** Asks more often than an org may. */
const environment = { MOLAR_READS_PER_MINUTE: '0', MOLAR_WRITES_PER_MINUTE: '0' }
const here = await world(t, { workers: 2, environment })
const app = await hostileApp()
t.teardown(() => app.close())

interface Part {
  front?: string
  setup?: string[]
  teardown?: string[]
}

function scenario(steps: string[], { front = '', setup = [], teardown = [] }: Part = {}): string {
  const id = newId()
  const list = (title: string, lines: string[]) =>
    lines.length === 0 ? '' : `\n## ${title}\n${lines.map((line, at) => `${at + 1}. ${line}`).join('\n')}\n`
  // A small page: what is painted and filmed of it is none of these tests' matter, and most of what they would cost.
  return `---\nspec_version: '1.0'\nid: ${id}\nslug: s-${id}\ndescription: d\nviewport: 320x240\n${front ? `${front}\n` : ''}---\n# T\n${list('Setup', setup)}${list('Steps', steps)}${list('Teardown', teardown)}`
}

async function start(steps: string[], part: Part & { base?: string; secrets?: object } = {}): Promise<string> {
  const order = {
    files: [{ content: scenario(steps, part) }],
    base_url: part.base ?? app.url,
    wait: 0,
    secrets: part.secrets ?? {},
  }
  const { status, body } = await here.rest('POST /v1/runs/batch', order)
  if (status !== 201) throw new Error(JSON.stringify(body))
  return body.runs[0].id
}

const get = async (id: string) => (await here.rest(`GET /v1/runs/${id}`)).body
async function ended(id: string) {
  await here.rest(`GET /v1/runs/${id}/wait?seconds=50`)
  const run = await get(id)
  if (['queued', 'running'].includes(run.status)) throw new Error(`run ${id} has not ended: ${JSON.stringify(run)}`)
  return run
}
const run = async (steps: string[], part: Parameters<typeof start>[1] = {}) => ended(await start(steps, part))

async function eventsOf(run: { trace_id: string }): Promise<any[]> {
  const all: any[] = []
  for (let offset: number | null = 0; offset !== null; ) {
    const { body }: any = await here.rest(`GET /v1/traces/${run.trace_id}/events?limit=500&offset=${offset}`)
    all.push(...body.events)
    offset = body.next_offset
  }
  return all
}
/** So that one run tries them all: what fails is a warning, with its reason, and the next is tried as well. */
const tried = (steps: readonly string[]) => steps.map((step) => `${step} {optional: true}`)
const gapless = (events: { seq: number }[]) => events.every(({ seq }, at) => seq === at + 1)
const told = (events: any[]) => events.map((event) => String(event.message ?? event.text ?? '')).join('\n')

await run(['Navigate to /']) // the browser is warm from here on

t.test(
  'an application that is not there, has no name or a bad certificate: errored, with the reason, at once',
  async (t) => {
    const server = createServer(selfSigned, (_request, response) => response.end('<h1>Home</h1>'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => server.close())
    const cases: [string, string, RegExp][] = [
      ['nobody listens', 'http://127.0.0.1:9', /refuse that port/],
      ['a closed port', 'http://127.0.0.1:61234', /refused/i],
      ['no such name', 'http://no-such-host.invalid', /name|resolve/i],
      ['self-signed', `https://localhost:${(server.address() as AddressInfo).port}`, /certificate|ERR_CERT/i],
    ]
    const runs = await Promise.all(cases.map(([, base]) => run(['Navigate to /'], { base })))
    for (const [at, [name, , reason]] of cases.entries()) {
      const { status, failure, duration_ms } = runs[at]
      t.match({ status, message: failure?.message }, { status: 'errored', message: reason }, name)
      t.ok(duration_ms < 6000, `${name}: ${duration_ms} ms: ${failure?.message}`)
    }
  },
)

t.test('a page that never settles is no hang', async (t) => {
  const front = 'step_timeout_ms: 1200'
  const cases = [
    ['/silent', ['Navigate to /silent']],
    ['/loading', ['Navigate to /loading', 'Assert heading "None" is visible']],
    ['/loop', ['Navigate to /loop', 'Click button "Go" {timeout: 600ms}']],
    ['/stuck-now', ['Navigate to /stuck-now', 'Wait 300ms', 'Assert heading "None" is visible', 'Screenshot']],
  ] as const
  const teardown = ['Request POST /torn-down expects 204']
  const [busy, ...runs] = await Promise.all([
    run(['Navigate to /endless', 'Assert heading "Busy" is visible']),
    ...cases.map(([, steps]) => run([...steps], { front, teardown })),
  ])
  t.match(busy, { status: 'passed' }, `endless requests: ${busy.duration_ms} ms ${busy.failure?.message}`)
  for (const [at, [path]] of cases.entries()) {
    const result = runs[at]
    t.match(result.status, /failed|errored/, path)
    // On a busy machine a run that is no trouble takes seconds, too.
    t.ok(
      result.duration_ms < Math.max(12_000, 5 * busy.duration_ms),
      `${path}: ${result.duration_ms} ms: ${result.failure?.message}`,
    )
    t.ok(result.failure.message.length > 20, 'and it says why')
  }
  const stuck = await eventsOf(runs[3])
  t.ok(
    stuck.some(({ kind, name }) => kind === 'screenshot' && name === '003.jpg'),
    'what a page that is stuck shows is pictured all the same',
  )
})

t.test('the next run is none the worse: dialogs and downloads that nobody expected', async (t) => {
  const dialogs = await run([
    'Navigate to /dialogs',
    'Assert text "false null" is visible',
    'Navigate to /',
    'Click button "Fetch"',
    'Click link "Get"',
    'Assert heading "Home" is visible',
  ])
  t.match(dialogs, { status: 'passed' }, dialogs.failure?.message)
  t.match(told(await eventsOf(dialogs)), /one[\s\S]*two[\s\S]*three/, 'they are in the trace')
})

t.test('no other origin is reached, whatever the page or the scenario tries', async (t) => {
  const steps = [
    'Navigate to /away',
    `Navigate to ${app.away}/x`,
    `Request GET ${app.away}/x`,
    'Request GET /away expects 200',
  ]
  const [page, refused] = await Promise.all([run(['Navigate to /foreign', 'Wait 700ms']), run(tried(steps))])
  t.match(page, { status: 'passed' }, page.failure?.message)
  const said = told(await eventsOf(page))
  t.match(said, /Refused a request to/, 'said in the trace')
  t.match(said, new RegExp(app.away.replace('http:', '')), 'by name')
  for (const [at, step] of steps.entries()) t.match(refused.steps[at], { status: 'warning', message: /./ }, step)
  t.same(app.foreignHits, [], 'the foreign origin saw nothing')
})

t.test('on a server, what is not public is not reached, even where its origin is allowed', async (t) => {
  const base = app.url.replace('127.0.0.1', 'localhost')
  const guarded = await world(t, {
    workers: 2,
    environment: { MOLAR_EGRESS: 'public', MOLAR_EGRESS_ALLOW: 'localhost', MOLAR_RUN_ORIGINS: app.away },
  })
  const before = app.foreignHits.length
  const runAll = async (base_url: string, ...all: string[][]) => {
    const order = { files: all.map((steps) => ({ content: scenario(steps) })), base_url, wait: 50 }
    const { body } = await guarded.rest('POST /v1/runs/batch', order)
    const read = async ({ id }: { id: string }) => (await guarded.rest(`GET /v1/runs/${id}`)).body
    return Promise.all(body.runs.map(read))
  }
  const why = /127\.0\.0\.1 is an address of this machine.*MOLAR_EGRESS_ALLOW=127\.0\.0\.1/
  const steps = [`Navigate to ${app.away}/x`, `Request GET ${app.away}/x`, 'Request GET /away expects 200']
  const [page, good, refused] = await runAll(
    base,
    ['Navigate to /foreign', 'Assert text "refused" is visible', 'Wait 300ms'],
    ['Navigate to /', 'Request GET / expects 200', 'Download by clicking link "Get" as file'],
    tried([...steps, 'Navigate to /away']),
  )
  t.match(page, { status: 'passed' }, page.failure?.message)
  const { body } = await guarded.rest(`GET /api/v1/traces/${page.trace_id}/events?kind=log&limit=200`)
  t.match(JSON.stringify(body), why, 'the trace says why, and what allows it')
  t.match(JSON.stringify(body), new RegExp(`to ${app.away.replace('http:', '')}: 127`), 'of the socket too')
  t.match(good, { status: 'passed' }, good.failure?.message)
  for (const [at, step] of steps.entries()) t.match(refused.steps[at], { status: 'warning', message: why }, step)
  t.match(refused.steps[steps.length], { status: 'warning', message: /./ }, 'a redirect')
  const urls = [app.url.replace('127.0.0.1', '2130706433'), 'http://169.254.169.254', 'http://[::1]:8080']
  const [[absent], ...inside] = await Promise.all([
    runAll('http://localhost:9', tried(['Navigate to /', 'Request GET /'])),
    ...urls.map((url) => runAll(url, ['Navigate to /'])),
  ])
  for (const [at, url] of urls.entries())
    t.match(inside[at], [{ status: 'errored', failure: { message: /does not reach such/ } }], url)
  t.match(absent.steps, [{ status: 'warning' }, { status: 'warning' }], 'where nothing listens there is no page')
  const outline = (url: string) => guarded.rest('POST /v1/pages/outline', { url })
  t.match((await outline(`${app.url}/`)).body, { status: 'failed', problem: why })
  t.match((await outline(`${base}/`)).body, { status: 'done', outline: /Home/ })
  t.equal(app.foreignHits.length, before, 'the foreign origin saw nothing')
})

t.test('a scenario does not get out of the page, neither by what it says nor by what it is given', async (t) => {
  const tries: [step: (value: string) => string, values: string[]][] = [
    [
      (to) => `Navigate to ${to}`,
      [
        'file:///etc/passwd',
        'chrome://version',
        'javascript:document.title=1',
        'view-source:http://127.0.0.1/',
        'data:text/html,<h1>x</h1>',
      ],
    ],
    [(to) => `Request GET ${to}`, ['file:///etc/passwd']],
    [
      (css) => `Click \`${css}\``,
      ['xpath=//h1', 'text=Home', 'h1 >> nth=0', 'internal:control=enter-frame', '_react=Home'],
    ],
    [(css) => `Assert \`${css}\` is visible`, ['h1 >> internal:has-text="Home"i']],
    [(file) => `Upload "${file}" to \`input\``, ['../../../../etc/passwd', '/etc/passwd']],
  ]
  const all = tries.flatMap(([step, values]) => values.map((value) => ({ step, value })))

  const files = all.map(({ step, value }) => ({ file: value, content: scenario([step(value)]) }))
  const { body } = await here.rest('POST /v1/scenarios/validate', { files })
  t.same(
    body.problems.map(({ file }: { file: string }) => file),
    all.map(({ value }) => value),
    'the compiler refuses each',
  )

  const variables = Object.fromEntries(all.map(({ value }, at) => [`v${at}`, value]))
  const asked = await run(
    all.flatMap(({ step }, at) => ['Navigate to /', ...tried([step(`\${v${at}}`)])]),
    { front: `step_timeout_ms: 800\nvariables: ${JSON.stringify(variables)}` },
  )
  t.match(asked, { status: 'passed' }, asked.failure?.message)
  for (const [at, { value }] of all.entries()) {
    t.match(asked.steps[2 * at], { status: 'passed' }, `before ${value}`)
    const { status, message } = asked.steps[2 * at + 1]
    t.equal(status, 'warning', `${value}: ${message}`)
  }
  t.notMatch(JSON.stringify(await eventsOf(asked)), /root:x:0/)
})

t.test('text that a database cannot hold, or too much of it, costs neither events nor the verdict', async (t) => {
  const once = '{optional: true, timeout: 300ms}'
  const odd = [
    'Snapshot',
    'Remember text of `h1` as odd',
    `Assert heading "None" is visible ${once}`,
    `Assert \`h1\` has text "x" ${once}`,
    'Assert title is "x" {timeout: 300ms}',
  ]
  const huge = [
    'Snapshot',
    'Remember text of `h1` as huge',
    `Fill \`h1\` with \${remembered.huge} ${once}`,
    'Assert `h1` has text "x" {timeout: 300ms}',
  ]
  const results = await Promise.all([run(['Navigate to /odd', ...odd]), run(['Navigate to /huge', ...huge])])
  for (const [at, steps] of [odd, huge].entries()) {
    const result = results[at]
    t.equal(result.status, 'failed', `${steps.at(-1)}: ${result.failure?.message.slice(0, 200)}`)
    t.match(result.failure.step, { number: steps.length + 1 })
    const events = await eventsOf(result)
    t.ok(gapless(events), `${events.length} events without a gap`)
    t.equal(events.at(-1).kind, 'run.end')
    t.equal(result.attempt, 1, 'at the first try')
    t.ok(JSON.stringify(result).length < 100_000, `an answer of ${JSON.stringify(result).length} characters`)
  }
})

t.test('timeouts, retries, optional steps, teardown', async (t) => {
  const teardown = ['Click "Nothing" {timeout: 300ms}', 'Request POST /torn-down?after expects 204']
  const [failed, whole, flaky, passed, setup] = await Promise.all([
    run(['Navigate to /', 'Assert heading "None" is visible {timeout: 300ms}'], { teardown }),
    run(['Navigate to /', 'Wait 20s'], {
      front: 'timeout_ms: 2500',
      teardown: ['Request POST /torn-down?whole expects 204'],
    }),
    run(['Navigate to /flaky', 'Assert heading "Ready" is visible {timeout: 300ms}'], { front: 'retries: 2' }),
    run(['Navigate to /', 'Click "Nothing" {optional: true, timeout: 300ms}', 'Assert heading "Home" is visible'], {
      teardown,
    }),
    run(['Navigate to /'], { setup: ['Click "Nothing" {timeout: 300ms}'], teardown }),
  ])
  t.match(failed, { status: 'failed', failure: { step: { number: 2 } } }, 'a teardown that fails changes no verdict')
  t.ok(failed.duration_ms < 6000, `${failed.duration_ms} ms`)
  t.match(whole, { status: 'errored', failure: { kind: 'timeout', message: /2500 ms/, step: { number: 2 } } })
  t.ok(whole.duration_ms < 6000, `${whole.duration_ms} ms`)
  t.ok(
    app.seen.some(({ url }) => url === '/torn-down?whole'),
    'torn down after a timeout',
  )
  t.match(flaky, { status: 'passed', flaky: true, attempt: 2, failure: null })
  t.ok(gapless(await eventsOf(flaky)))
  const statuses = ['passed', 'warning', 'passed', 'warning', 'passed']
  t.match(passed, { status: 'passed', steps: statuses.map((status) => ({ status })) }, 'optional, and in teardown')
  t.match(passed.steps[3], { section: 'teardown' })
  t.match(setup, { status: 'errored', failure: { step: { section: 'setup' } } })
  t.equal(app.seen.filter(({ url }) => url === '/torn-down?after').length, 3, 'torn down each time')
})

t.test('cancel ends queued and running runs within a second', async (t) => {
  const long = ['Navigate to /', 'Wait 25s']
  const ids = await Promise.all([start(long), start(long), start(long)])
  for (const end = Date.now() + 10_000; Date.now() < end; await sleep(60)) {
    const runs = await Promise.all(ids.map(get))
    if (runs.filter(({ status, steps_done }) => status === 'running' && steps_done > 0).length === 2) break
  }
  const statuses = new Map(await Promise.all(ids.map(async (id) => [id, (await get(id)).status] as const)))
  t.same([...statuses.values()].sort(), ['queued', 'running', 'running'])
  for (const [id, status] of [...statuses].sort((a, b) => (a[1] < b[1] ? -1 : 1))) {
    const started = Date.now()
    t.equal((await here.rest(`POST /v1/runs/${id}/cancel`)).status, 200)
    const run = await ended(id)
    const took = Date.now() - started
    t.equal(run.status, 'aborted', `${status}`)
    t.equal(run.steps.length, status === 'running' ? 1 : 0, 'what was done before stays on record')
    t.ok(took < 1000, `${status}: ${took} ms`)
    const events = await eventsOf(run)
    t.ok(gapless(events), `${events.length} events`)
    t.match(events.at(-1), { kind: 'run.end', status: 'aborted' })
    t.equal((await here.rest(`POST /v1/runs/${id}/cancel`)).status, 200, 'again: nothing happens')
  }
})

/** The browser that this process started: the one of its descendants that no other browser process is the parent of. */
function browserPid(): number {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).trim().split('\n')
  const processes = rows
    .map((row) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row)!)
    .map(([, pid, ppid, args]) => ({ pid: Number(pid), ppid: Number(ppid), args: args! }))
  const ours = new Set([process.pid])
  for (let size = 0; size !== ours.size; ) {
    size = ours.size
    for (const { pid, ppid } of processes) if (ours.has(ppid)) ours.add(pid)
  }
  const found = processes.find(
    ({ pid, args }) => ours.has(pid) && /chrom|headless/i.test(args.split(' ')[0]!) && !args.includes('--type='),
  )
  if (!found) throw new Error('no browser of this process')
  return found.pid
}

t.test('a browser that dies in mid-run ends that run, and the next has a new one', async (t) => {
  const id = await start(['Navigate to /', 'Wait 20s'], { teardown: ['Request POST /torn-down expects 204'] })
  while ((await get(id)).steps_done === 0) await sleep(60)
  const started = Date.now()
  process.kill(browserPid(), 'SIGKILL')
  const run1 = await ended(id)
  t.match(run1, { status: 'errored', failure: { kind: 'browser', message: /browser/i } })
  t.ok(Date.now() - started < 5000, `${Date.now() - started} ms`)
  t.ok(gapless(await eventsOf(run1)))
  t.equal((await run(['Navigate to /', 'Assert heading "Home" is visible'])).status, 'passed')
})

t.test('a page that eats memory ends its own run, with the reason; a run beside it passes', async (t) => {
  const beside = start(['Navigate to /', 'Wait 6s', 'Assert heading "Home" is visible'])
  const began = Date.now()
  const eater = await run(['Navigate to /eater', 'Click button "Eat"', 'Wait 25s'])
  t.comment(`ended after ${Date.now() - began} ms: ${eater.failure?.message}`)
  t.match(eater, { status: 'errored', failure: { kind: 'browser', message: /took more than \d+ MiB of memory/ } })
  t.ok(Date.now() - began < 20_000, `${Date.now() - began} ms`)
  t.match(await ended(await beside), { status: 'passed', attempt: 1 }, 'the run beside it')
})

t.test(
  'a scenario that opens 100 tabs, of which a run may have 25, ends in time, and the worker stays well',
  async (t) => {
    const began = Date.now()
    const steps = ['Click button "Open" {timeout: 60s}', 'Wait 500ms', 'Assert text "opened" is visible {timeout: 60s}']
    const opener = await run(['Navigate to /opener?100', ...steps])
    t.comment(`${opener.status} after ${Date.now() - began} ms`)
    t.match(opener, { status: 'passed', attempt: 1 }, opener.failure?.message)
    const events = await eventsOf(opener)
    t.equal(events.filter(({ about }) => about === 'tabs').length, 1, 'the trace tells of it once')
    t.equal((await run(['Navigate to /', 'Assert heading "Home" is visible'])).status, 'passed', 'the next run')
  },
)

t.test('no stored byte holds a secret', async (t) => {
  const secrets = { DECLARED: 'declared-secret-7731', PIN: '90210-pin' }
  const result = await run(
    [
      'Navigate to /login',
      'Fill "Name" with "Ada"',
      'Fill "Password" with ${pw}',
      'Fill "Pin" with ${secrets.PIN}',
      'Click button "Sign in"',
      'Assert heading "Hello" is visible',
      'Assert text "leaked" is visible',
      'Snapshot',
      'Assert `#p` has text "nothing" {optional: true, timeout: 300ms}',
      'Remember text of `#p` as leaked',
      'Request POST /api/leak with `{"k": "${secrets.DECLARED}"}`',
      'Set header "X-Secret" to ${secrets.DECLARED}',
      'Set local storage "k" to ${secrets.DECLARED}',
      'Navigate to /?q=${secrets.DECLARED}',
      'Assert text "${secrets.DECLARED}" is visible {timeout: 500ms}',
    ],
    { front: 'secrets: [DECLARED, PIN]\nvariables: { pw: typed-password-9931 }', secrets },
  )
  t.match(result, { status: 'failed', failure: { step: { number: 15 } } }, result.failure?.message)
  t.ok(
    app.seen.some(({ body }) => body.includes('typed-password-9931')),
    'the application got them',
  )
  const planted = [...Object.values(secrets), 'bearer-token-0123456789', 'planted-query-0451']
  const bytes = await everyStoredByte()
  for (const secret of planted) {
    const where = [...bytes]
      .filter(([, text]) => formsOf(secret).some((form) => text.includes(form)))
      .map(([name]) => name)
    t.same(where, [], `${secret} stands nowhere${around(bytes, where, secret)}`)
  }
  // A password that the scenario itself has in clear, as a variable, stands in the scenario and nowhere else.
  const where = [...bytes].filter(([, text]) => text.includes('typed-password-9931')).map(([name]) => name)
  t.same(
    where.filter((name) => !/scenario_versions|\.html$/.test(name)),
    [],
    `the typed password stands in its scenario alone${around(
      bytes,
      where.filter((name) => !/scenario_versions|\.html$/.test(name)),
      'typed-password-9931',
    )}`,
  )
  t.ok(
    [...bytes].some(([name, text]) => name.startsWith('blob') && text.includes('Sign in')),
    'the search does find what is there',
  )
})

const around = (bytes: Map<string, string>, where: string[], secret: string) =>
  where
    .map(
      (name) =>
        `\n${name}: ${bytes
          .get(name)!
          .slice(Math.max(0, bytes.get(name)!.indexOf(secret) - 150))
          .slice(0, 250)}`,
    )
    .join('')

const formsOf = (secret: string) => [
  secret,
  encodeURIComponent(secret),
  Buffer.from(secret).toString('base64').replace(/=+$/, '').slice(0, -1),
  Buffer.from(secret).toString('hex'),
]

/** Rows of every table, and every blob, with zips unpacked. */
async function everyStoredByte(): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  const client = new pg.Client({ connectionString: here.config.migrationUrl })
  await client.connect()
  const { rows: tables } = await client.query(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('public', 'app', 'pgboss')`,
  )
  for (const { name } of tables) {
    const { rows } = await client.query(`select t::text as row from ${name} t`)
    found.set(`table ${name}`, rows.map(({ row }) => row).join('\n'))
  }
  const { rows: artifacts } = await client.query(
    `select sha256, string_agg(distinct name, ' ') as name from trace_artifacts group by 1`,
  )
  await client.end()
  const nameOf = (path: string) => artifacts.find(({ sha256 }) => path.endsWith(sha256))?.name ?? path
  const root = join(here.home, 'blobs')
  for (const path of await readdir(root, { recursive: true })) {
    const bytes = await readFile(join(root, path)).catch(() => undefined)
    if (!bytes) continue
    found.set(`blob ${nameOf(path)}`, bytes.toString('latin1'))
    if (bytes.subarray(0, 2).toString() === 'PK')
      for (const [name, content] of Object.entries(unzipSync(bytes)))
        found.set(`blob ${nameOf(path)} ${name}`, strFromU8(content, true))
  }
  return found
}
