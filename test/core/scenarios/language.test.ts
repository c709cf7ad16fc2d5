import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { generateRuntime } from '../../../scripts/generate-runtime.ts'
import {
  type CompileOptions,
  compileScenario,
  findDuplicates,
  formatProblem,
  newScenario,
  readProject,
} from '../../../src/core/scenarios/language/index.ts'
import { forms } from '../../../src/core/scenarios/language/verbs/index.ts'
import type { StepPlan } from '../../../src/core/scenarios/plan.ts'

const id = '019301c0-cafe-7000-bea7-000000000001'
const required = `spec_version: '1.0'\nid: ${id}\nslug: checkout\ndescription: Buys.\n`

function scenario(body: string, more = ''): string {
  return `---\n${required}${more}---\n# Title\n\n${body}\n`
}

function steps(...lines: string[]): string {
  return `## Steps\n${lines.map((line, index) => `${index + 1}. ${line}`).join('\n')}`
}

function plan(source: string, options: CompileOptions = {}): StepPlan {
  const result = compileScenario(source, options)
  if (!result.ok) throw new Error(result.problems.map((problem) => formatProblem('x', problem)).join('\n'))
  return result.plan
}

/** Problems without their `file:`, one a line. */
function problems(source: string, options: CompileOptions = {}): string[] {
  const result = compileScenario(source, options)
  return result.ok ? [] : result.problems.map((problem) => formatProblem('f', problem).slice(2))
}

function codes(source: string): string[] {
  return problems(source).map((line) => line.split(' ')[1]!.replace('MOLAR_', ''))
}

const name = (text: string) => ({ by: 'name', name: text })
const role = (kind: string, text?: string) => ({ by: 'role', role: kind, ...(text && { name: text }) })
const css = (selector: string) => ({ by: 'css', css: selector })
const click = (target: object) => ({ verb: 'click', target, button: 'left', count: 1 })
const see = (assertion: object, negated = false) => ({ verb: 'assert', negated, ...assertion })
const front = 'variables: { a: x, user.email: ada@example.com }\nsecrets: [TOKEN]\ndata: [{ city: Rome, zip: 01234 }]\n'

/** Every form of the language: the sentence, and all that its step adds to the plan. */
const table: [string, object][] = [
  ['Navigate to /path', { verb: 'navigate', to: '/path' }],
  ['navigate TO https://example.com/a?b=c', { verb: 'navigate', to: 'https://example.com/a?b=c' }],
  ['Navigate to "/with space"', { verb: 'navigate', to: '/with space' }],
  ['Navigate to /u/${run.id}/x', { verb: 'navigate', to: ['/u/', { ref: 'run.id' }, '/x'] }],
  ['Navigate to ${env.BASE}/x', { verb: 'navigate', to: [{ ref: 'env.BASE' }, '/x'] }],
  ['Go to /path', { verb: 'navigate', to: '/path' }],
  ['Open /path', { verb: 'navigate', to: '/path' }],
  ['Visit /path', { verb: 'navigate', to: '/path' }],
  ['Navigate back', { verb: 'back' }],
  ['Go back', { verb: 'back' }],
  ['Navigate forward', { verb: 'forward' }],
  ['Reload', { verb: 'reload' }],
  ['Click "Pay now"', click(name('Pay now'))],
  ['Click “Pay now”', click(name('Pay now'))],
  ['CLICK button "Sign in"', click(role('button', 'Sign in'))],
  ['Click alert', click(role('alert'))],
  ['Click testid "x"', click({ by: 'testid', testid: 'x' })],
  ['Click `input[name=a]`', click(css('input[name=a]'))],
  ['Click `*.a_b*` ', click(css('*.a_b*'))],
  ['Click "Delete" in row "Ada"', click({ ...name('Delete'), within: role('row', 'Ada') })],
  [
    'Click "Delete" in row "Ada" in table "All"',
    click({ ...name('Delete'), within: { ...role('row', 'Ada'), within: role('table', 'All') } }),
  ],
  [
    'Click ("Delete" in row "Ada") in table',
    click({ ...name('Delete'), within: { ...role('row', 'Ada'), within: role('table') } }),
  ],
  ['Click "a" {exact, nth: 2}', click({ ...name('a'), exact: true, nth: 2 })],
  ['Click "a" {first: true}', click({ ...name('a'), first: true })],
  ['Click "a" {last}', click({ ...name('a'), last: true })],
  [
    'Click "a" {timeout: 15s, optional: true, name: "b, c"}',
    { ...click(name('a')), options: { timeout_ms: 15_000, optional: true, name: 'b, c' } },
  ],
  ['Click "say \\"hi\\" \\\\ \\${a} \\{b\\}"', click(name('say "hi" \\ ${a} {b}'))],
  ['Click "a \\n"', click(name('a \\n'))],
  ['Double click "a"', { ...click(name('a')), count: 2 }],
  ['Double_click "a"', { ...click(name('a')), count: 2 }],
  ['Right click "a"', { ...click(name('a')), button: 'right' }],
  ['Fill "Email" with "x"', { verb: 'fill', target: name('Email'), value: 'x' }],
  ['Fill `input` with `4242`', { verb: 'fill', target: css('input'), value: '4242' }],
  ['Fill "a" with ${secrets.TOKEN}', { verb: 'fill', target: name('a'), value: [{ ref: 'secrets.TOKEN' }] }],
  ['Fill "a" with `${data.city}`', { verb: 'fill', target: name('a'), value: [{ ref: 'data.city' }] }],
  ['Fill "a" with "<${user.email}>"', { verb: 'fill', target: name('a'), value: ['<', { ref: 'user.email' }, '>'] }],
  ['Fill "a" with ""', { verb: 'fill', target: name('a'), value: '' }],
  ['Type "x" into "a"', { verb: 'type', value: 'x', target: name('a') }],
  ['Type "x"', { verb: 'type', value: 'x' }],
  ['Clear "a"', { verb: 'clear', target: name('a') }],
  ['Select "x" in "a"', { verb: 'select', target: name('a'), values: ['x'] }],
  [
    'Select "x", `y` in combobox "a" in form "b"',
    { verb: 'select', target: { ...role('combobox', 'a'), within: role('form', 'b') }, values: ['x', 'y'] },
  ],
  ['Check "a"', { verb: 'check', target: name('a') }],
  ['Uncheck checkbox "a"', { verb: 'uncheck', target: role('checkbox', 'a') }],
  ['Press Enter', { verb: 'press', key: 'Enter' }],
  ['Press ctrl+a in "b"', { verb: 'press', key: 'Control+a', target: name('b') }],
  ['Press Control+A in textbox', { verb: 'press', key: 'Control+A', target: role('textbox') }],
  ['Press Control++', { verb: 'press', key: 'Control++' }],
  ['Hover "a"', { verb: 'hover', target: name('a') }],
  ['Focus "a"', { verb: 'focus', target: name('a') }],
  ['Scroll to "a"', { verb: 'scroll', target: name('a') }],
  ['Drag "a" to "b"', { verb: 'drag', target: name('a'), to: name('b') }],
  [
    'Drag ("a to b" in row "x") to (button in row "y")',
    {
      verb: 'drag',
      target: { ...name('a to b'), within: role('row', 'x') },
      to: { ...role('button'), within: role('row', 'y') },
    },
  ],
  ['Upload "file.pdf" to "a"', { verb: 'upload', target: name('a'), file: 'file.pdf' }],
  ['Switch to new tab', { verb: 'switch_tab' }],
  ['Switch to tab "Help"', { verb: 'switch_tab', title: 'Help' }],
  ['Close tab', { verb: 'close_tab' }],
  ['Switch to frame "a"', { verb: 'switch_frame', target: name('a') }],
  ['Switch to main page', { verb: 'switch_main' }],
  ['Accept dialog', { verb: 'dialog', accept: true }],
  ['Accept dialog with "x"', { verb: 'dialog', accept: true, value: 'x' }],
  ['Dismiss dialog', { verb: 'dialog', accept: false }],
  ['Download by clicking link "CSV" as name', { verb: 'download', target: role('link', 'CSV'), as: 'name' }],
  ['Wait 2s', { verb: 'wait_time', ms: 2000 }],
  ['Wait 250ms', { verb: 'wait_time', ms: 250 }],
  ['Wait for "a"', { verb: 'wait_target', target: name('a'), state: 'visible' }],
  ['Wait for "a" to be hidden', { verb: 'wait_target', target: name('a'), state: 'hidden' }],
  ['Wait for button "a" to be enabled', { verb: 'wait_target', target: role('button', 'a'), state: 'enabled' }],
  ['Wait for 3 row "a"', { verb: 'wait_target', target: role('row', 'a'), state: 'visible', count: 3 }],
  ['Wait for text "a"', { verb: 'wait_text', value: 'a', state: 'visible' }],
  ['Wait for text "a" to be hidden', { verb: 'wait_text', value: 'a', state: 'hidden' }],
  ['Wait for url /x', { verb: 'wait_url', match: 'matches', pattern: '/x' }],
  ['Wait for url contains x=1', { verb: 'wait_url', match: 'contains', pattern: 'x=1' }],
  [
    'Wait for response GET /api/x {status: 200}',
    { verb: 'wait_response', method: 'GET', pattern: '/api/x', status: 200 },
  ],
  ['Wait for response /api/**', { verb: 'wait_response', method: '*', pattern: '/api/**' }],
  ['Wait for request POST /api/x', { verb: 'wait_request', method: 'POST', pattern: '/api/x' }],
  [
    'Wait for webhook stripe.checkout.session.completed {timeout: 30s}',
    { verb: 'wait_webhook', kind: 'stripe', event: 'checkout.session.completed', options: { timeout_ms: 30_000 } },
  ],
  ['Assert text "a" is visible', see({ subject: 'text', value: 'a', state: 'visible' })],
  ['Assert text "a" is hidden', see({ subject: 'text', value: 'a', state: 'hidden' })],
  ['Expect text "a" is not visible', see({ subject: 'text', value: 'a', state: 'visible' }, true)],
  ...['visible', 'hidden', 'enabled', 'disabled', 'checked', 'unchecked', 'focused', 'empty'].flatMap(
    (state): [string, object][] => [
      [`Assert "a" is ${state}`, see({ subject: 'state', target: name('a'), state })],
      [`Assert "a" is not ${state}`, see({ subject: 'state', target: name('a'), state }, true)],
    ],
  ),
  ['Assert status is visible', see({ subject: 'state', target: role('status'), state: 'visible' })],
  ['Assert "a" has text "b"', see({ subject: 'content', target: name('a'), what: 'text', match: 'is', value: 'b' })],
  ['Assert "a" has value `b`', see({ subject: 'content', target: name('a'), what: 'value', match: 'is', value: 'b' })],
  [
    'Assert "a" does not have value "b"',
    see({ subject: 'content', target: name('a'), what: 'value', match: 'is', value: 'b' }, true),
  ],
  [
    'Assert link "a" has attribute "href" "/b"',
    see({ subject: 'attribute', target: role('link', 'a'), attribute: 'href', value: '/b' }),
  ],
  [
    'Assert "a" does not have attribute "href" "/b"',
    see({ subject: 'attribute', target: name('a'), attribute: 'href', value: '/b' }, true),
  ],
  ['Assert "a" has class "b"', see({ subject: 'class', target: name('a'), value: 'b' })],
  ['Assert "a" does not have class "b"', see({ subject: 'class', target: name('a'), value: 'b' }, true)],
  [
    'Assert "a" contains "b"',
    see({ subject: 'content', target: name('a'), what: 'text', match: 'contains', value: 'b' }),
  ],
  [
    'Assert "a" does not contain "b"',
    see({ subject: 'content', target: name('a'), what: 'text', match: 'contains', value: 'b' }, true),
  ],
  ['Assert 3 row', see({ subject: 'count', target: role('row'), compare: 'exactly', count: 3 })],
  ['Assert exactly 3 row', see({ subject: 'count', target: role('row'), compare: 'exactly', count: 3 })],
  ['Assert at least 2 row', see({ subject: 'count', target: role('row'), compare: 'at_least', count: 2 })],
  ['Assert at most 5 row "a"', see({ subject: 'count', target: role('row', 'a'), compare: 'at_most', count: 5 })],
  ['Assert no alert', see({ subject: 'count', target: role('alert'), compare: 'exactly', count: 0 })],
  [
    'Assert list matches aria\n   ```yaml\n   - list:\n     - listitem: a\n   ```',
    see({ subject: 'aria', target: role('list'), snapshot: '- list:\n  - listitem: a' }),
  ],
  [
    'Assert list does not match aria\n   ```\n   - list\n   ```',
    see({ subject: 'aria', target: role('list'), snapshot: '- list' }, true),
  ],
  ['Assert url is /x?a=b', see({ subject: 'url', match: 'is', value: '/x?a=b' })],
  ['Assert url is not /x', see({ subject: 'url', match: 'is', value: '/x' }, true)],
  ['Assert url matches /orders/*', see({ subject: 'url', match: 'matches', value: '/orders/*' })],
  ['Assert url does not match /orders/**', see({ subject: 'url', match: 'matches', value: '/orders/**' }, true)],
  ['Assert url contains orders', see({ subject: 'url', match: 'contains', value: 'orders' })],
  ['Assert url does not contain "orders"', see({ subject: 'url', match: 'contains', value: 'orders' }, true)],
  ['Assert title is "a"', see({ subject: 'title', match: 'is', value: 'a' })],
  ['Assert title is not "a"', see({ subject: 'title', match: 'is', value: 'a' }, true)],
  ['Assert title contains "a"', see({ subject: 'title', match: 'contains', value: 'a' })],
  ['Assert title does not contain "a"', see({ subject: 'title', match: 'contains', value: 'a' }, true)],
  ['Assert page status is 200', see({ subject: 'page_status', status: 200 })],
  ['Assert page status is not 500', see({ subject: 'page_status', status: 500 }, true)],
  ['Assert response status is 200', see({ subject: 'response_status', status: 200 })],
  ['Assert response status is not 404', see({ subject: 'response_status', status: 404 }, true)],
  [
    'Assert response $.a.b[0]["c d"] is "x"',
    see({ subject: 'response_path', path: '$.a.b[0]["c d"]', match: 'is', value: 'x' }),
  ],
  ['Assert response $.total is 42', see({ subject: 'response_path', path: '$.total', match: 'is', value: '42' })],
  [
    'Assert response $.a does not contain "x"',
    see({ subject: 'response_path', path: '$.a', match: 'contains', value: 'x' }, true),
  ],
  ['Assert no console errors', see({ subject: 'no_console_errors' })],
  ['Assert no failed requests', see({ subject: 'no_failed_requests' })],
  [
    'Assert ${a} is ${user.email}',
    see({ subject: 'value', left: [{ ref: 'a' }], match: 'is', right: [{ ref: 'user.email' }] }),
  ],
  ['Assert ${a} is not "x"', see({ subject: 'value', left: [{ ref: 'a' }], match: 'is', right: 'x' }, true)],
  ['Assert ${a} contains "x"', see({ subject: 'value', left: [{ ref: 'a' }], match: 'contains', right: 'x' })],
  [
    'Assert Stripe Clone has 1 active subscription for `${run.user.id}`',
    see({
      subject: 'clone',
      kind: 'stripe',
      state: 'active',
      noun: 'subscription',
      count: 1,
      for: [{ ref: 'run.user.id' }],
    }),
  ],
  [
    'Assert Google Workspace Clone has 2 files',
    see({ subject: 'clone', kind: 'google-workspace', noun: 'file', count: 2 }),
  ],
  [
    'Assert Email Clone outbox contains 1 email to `${run.user.email}`',
    see({
      subject: 'clone',
      kind: 'email',
      state: 'outbox',
      noun: 'email',
      count: 1,
      for: [{ ref: 'run.user.email' }],
    }),
  ],
  ['Remember text of "a" as b', { verb: 'remember', as: 'b', from: { what: 'text', target: name('a') } }],
  [
    'Remember value of textbox "a" as b_c {nth: 2}',
    { verb: 'remember', as: 'b_c', from: { what: 'value', target: { ...role('textbox', 'a'), nth: 2 } } },
  ],
  ['Remember response $.id as b', { verb: 'remember', as: 'b', from: { what: 'response', path: '$.id' } }],
  ['Request GET /api/x', { verb: 'request', method: 'GET', url: '/api/x' }],
  [
    'Request post /api/x with `{"a": 1}` expects 201',
    {
      verb: 'request',
      method: 'POST',
      url: '/api/x',
      body: '{"a": 1}',
      content_type: 'application/json',
      expects: 201,
    },
  ],
  ['Request DELETE /api/x expects 204', { verb: 'request', method: 'DELETE', url: '/api/x', expects: 204 }],
  [
    'Request POST /api/x\n   ```json\n   {"a": "\\"${a}\\""}\n   ```',
    {
      verb: 'request',
      method: 'POST',
      url: '/api/x',
      body: ['{"a": "\\"', { ref: 'a' }, '\\""}'],
      content_type: 'application/json',
    },
  ],
  ['Snapshot', { verb: 'snapshot' }],
  ['Snapshot {name: cart}', { verb: 'snapshot', label: 'cart' }],
  ['Screenshot', { verb: 'screenshot' }],
  [
    'Screenshot {name: receipt, full_page: true, of: row "a, b" in table}',
    { verb: 'screenshot', label: 'receipt', full_page: true, of: { ...role('row', 'a, b'), within: role('table') } },
  ],
  [
    'Inject error 500 on POST /api/x {times: 1}',
    { verb: 'inject_error', status: 500, method: 'POST', pattern: '/api/x', times: 1 },
  ],
  ['Inject_error 503 on /api/*', { verb: 'inject_error', status: 503, method: '*', pattern: '/api/*' }],
  [
    'Respond to GET /api/x with 200\n   ```json\n   {"a": []}\n   ```',
    {
      verb: 'respond',
      status: 200,
      method: 'GET',
      pattern: '/api/x',
      body: '{"a": []}',
      content_type: 'application/json',
    },
  ],
  [
    'Respond to GET /x with 204',
    { verb: 'respond', status: 204, method: 'GET', pattern: '/x', body: '', content_type: 'text/plain' },
  ],
  ['Inject latency 2s on GET /api/*', { verb: 'inject_latency', ms: 2000, method: 'GET', pattern: '/api/*' }],
  ['Inject offline', { verb: 'offline' }],
  ['Inject online', { verb: 'online' }],
  ['Set clock to 2026-01-31T10:00:00Z', { verb: 'set_clock', at: '2026-01-31T10:00:00.000Z' }],
  ['Set clock to 2026-01-31T10:00:00+02:00', { verb: 'set_clock', at: '2026-01-31T08:00:00.000Z' }],
  ['Advance clock 30d', { verb: 'advance_clock', ms: 2_592_000_000 }],
  ['Advance_clock 1s', { verb: 'advance_clock', ms: 1000 }],
  ['Set cookie "a" to "b"', { verb: 'set_cookie', key: 'a', value: 'b' }],
  ['Set header "X-A" to ${a}', { verb: 'set_header', key: 'X-A', value: [{ ref: 'a' }] }],
  ['Set local storage "k" to `v`', { verb: 'set_local_storage', key: 'k', value: 'v' }],
  ['Set geolocation 52.5, -13.4', { verb: 'set_geolocation', latitude: 52.5, longitude: -13.4 }],
  ['Set color scheme dark', { verb: 'set_color_scheme', scheme: 'dark' }],
  ['Allow clipboard-read', { verb: 'allow', permission: 'clipboard-read' }],
  ['Debug', { verb: 'debug' }],
]

t.test('every form compiles to its part of the plan, and to nothing else', async (t) => {
  for (const [sentence, expected] of table) {
    const compiled = plan(scenario(steps('Navigate to /', sentence), front)).steps[1]!
    const { step_id, number, section, text, range, options, ...action } = compiled
    t.match(step_id, /^s_[0-9a-f]{10}$/)
    t.same({ number, section, line: range.start.line }, { number: 2, section: 'steps', line: 14 })
    t.equal(text, sentence.split('\n')[0]?.trim())
    t.same({ ...action, ...('options' in expected ? { options } : {}) }, expected, sentence)
  }
  // A second look at the table itself: no form of the language is left out of it.
  const said = table.map(([sentence]) => plan(scenario(steps('Click "x"', sentence), front)).steps[1]!)
  const key = (step: object) =>
    Object.entries(step)
      .filter(([of]) => ['verb', 'subject', 'match', 'compare'].includes(of))
      .join()
  t.ok(new Set(said.map(key)).size >= 55)
  t.equal(new Set(forms.map(({ shown }) => shown)).size, forms.length, 'no two forms read the same')
})

t.test('Download, then what was downloaded', async (t) => {
  const [, is, contains] = plan(
    scenario(
      steps(
        'Download by clicking "x" as report',
        'Assert download report is "a"',
        'Assert download report does not contain "b"',
      ),
    ),
  ).steps
  t.match(is, see({ subject: 'download', download: 'report', match: 'is', value: 'a' }))
  t.match(contains, see({ subject: 'download', download: 'report', match: 'contains', value: 'b' }, true))
})

t.test('the example of the language compiles, with sections in their order and references kept', async (t) => {
  const source = readFileSync(join(import.meta.dirname, 'checkout.molar.md'), 'utf8')
  const { steps, settings, secrets, scenario } = plan(source)
  t.same(
    steps.map(({ section }) => section),
    [...Array(4).fill('setup'), ...Array(6).fill('steps'), 'teardown'],
  )
  t.match(settings, { base_url: 'http://localhost:4100', uses_clock: false, retries: 0 })
  t.same(secrets, ['USER_PASSWORD'])
  t.match(scenario, { title: 'Checkout', slug: 'checkout', tags: ['smoke'], priority: 'medium' })
  t.equal(steps[2]?.text, 'Fill "Password" with `${secrets.USER_PASSWORD}`')
})

t.test('front matter: every key is known, plain texts stay texts', async (t) => {
  const more = `priority: critical
tags: [smoke]
keywords: [a]
owner: platform
environment: [production]
base_url: https://example.com
variables: { zip: 01234, version: 1.10, yes: true }
secrets: [A]
affects: [src/**]
clones: [{ kind: stripe, seed: smoke, persistence: memory }]
schedule: { cron: '*/5 * * * *', timezone: Europe/Berlin, regions: [eu], base_url: https://example.org }
shadow_prod: true
mender: { mode: suggestive, forbidden_paths: ['app/**'] }
timeout_ms: 90000
step_timeout_ms: 5000
retries: 2
assertions: { no_console_errors: true, no_unhandled_rejections: true, no_failed_requests: false }
viewport: 800x600
locale: en-US
timezone: America/New_York
color_scheme: dark
uses: [login]
data: [{ n: 1 }, { n: 2 }]
`
  const result = compileScenario(scenario(steps('Wait for webhook twilio.message.sent'), more))
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  t.same(result.plan.variables, { zip: '01234', version: '1.10', yes: 'true' })
  t.same(result.plan.data, [{ n: '1' }, { n: '2' }])
  t.same(result.plan.settings, {
    base_url: 'https://example.com',
    timeout_ms: 90_000,
    step_timeout_ms: 5000,
    retries: 2,
    viewport: { width: 800, height: 600, mobile: false },
    locale: 'en-US',
    timezone: 'America/New_York',
    color_scheme: 'dark',
    assertions: { no_console_errors: true, no_unhandled_rejections: true, no_failed_requests: false },
    uses_clock: false,
  })
  t.same(result.plan.clones, [{ kind: 'stripe', seed: 'smoke', persistence: 'memory' }, { kind: 'twilio' }])
  t.match(result.frontMatter, {
    owner: 'platform',
    affects: ['src/**'],
    schedule: { regions: ['eu'] },
    shadow_prod: true,
  })
})

t.test('every problem, with its code, its exact range and its suggestions', async (t) => {
  const one = (line: string, more = front) => problems(scenario(steps('Navigate to /', line), more))
  const cases: [string, string][] = [
    [
      'Navigat to /x',
      '14:4-14:11 MOLAR_S001 "Navigat" is not a verb of the language. Did you mean: Navigate to <path>, Navigate back, Navigate forward?',
    ],
    ['Fill "a" wiht "b"', '14:13-14:21 MOLAR_S001 «wiht "b"» is not understood here. Did you mean: with?'],
    [
      'Provision signed-in user',
      '14:4-14:13 MOLAR_S001 "Provision" is not a verb of the language. Did you mean: uses: [login] in the front matter, or the steps of signing in?',
    ],
    [
      'Fill "a"',
      '14:4-14:12 MOLAR_S001 Something is missing after «Fill "a"». Did you mean: Fill <target> with <value>?',
    ],
    ['Reload now', '14:11-14:14 MOLAR_S001 «now» is not understood here. Did you mean: Reload?'],
    ['Assert tilte is "x"', '14:11-14:23 MOLAR_S001 «tilte is "x"» is not understood here. Did you mean: title?'],
    ['Click "x', '14:10-14:12 MOLAR_S003 The quotation mark opened here is never closed.'],
    [
      'Navigate to login',
      '14:16-14:21 MOLAR_S003 An address is a path such as /cart, or an http(s) URL. Did you mean: /login?',
    ],
    [
      'Navigate to javascript:alert(1)',
      '14:16-14:35 MOLAR_S003 An address is a path such as /cart, or an http(s) URL. Did you mean: /path, https://…?',
    ],
    [
      'Navigate to //evil.example',
      '14:16-14:30 MOLAR_S003 An address is a path such as /cart, or an http(s) URL. Did you mean: /path, https://…?',
    ],
    ['Press Entr', '14:10-14:14 MOLAR_S003 "Entr" is not a key. Did you mean: Enter?'],
    [
      'Wait 30',
      '14:9-14:11 MOLAR_S003 A duration is a number and a unit: 250ms, 30s, 5m, 2h, 30d. Did you mean: 30s, 30ms?',
    ],
    ['Wait for response GTE /x', '14:22-14:25 MOLAR_S003 "GTE" is not an HTTP method. Did you mean: GET, POST?'],
    [
      'Upload "../x" to "a"',
      '14:11-14:17 MOLAR_S003 An upload is a file beside the scenario or an uploaded asset: a name, not a path.',
    ],
    [
      'Set clock to 2026-02-30T10:00:00Z',
      '14:17-14:37 MOLAR_S003 An instant is a date and a time with its zone. Did you mean: 2026-01-31T10:00:00Z?',
    ],
    ['Click "a" {nth: 1, last}', '14:4-14:28 MOLAR_S003 Of nth, first and last only one can hold.'],
    ['Assert list matches aria', '14:4-14:28 MOLAR_S003 This step needs a fenced block below it.'],
    ['Click "a"\n   ```\n   x\n   ```', '15:4-17:7 MOLAR_S003 "Click <target>" takes no block below it.'],
    [
      'Fill "a" with "${user.emial}"',
      '14:19-14:32 MOLAR_S005 There is no variable "user.emial". Did you mean: ${user.email}?',
    ],
    [
      'Fill "a" with ${secrets.TOKN}',
      '14:18-14:33 MOLAR_S005 The secret "TOKN" is not declared in "secrets". Did you mean: ${secrets.TOKEN}?',
    ],
    [
      'Fill "a" with ${data.cty}',
      '14:18-14:29 MOLAR_S005 The table "data" has no column "cty". Did you mean: ${data.city}?',
    ],
    [
      'Fill "a" with ${run.user.name}',
      '14:18-14:34 MOLAR_S005 A run has no "run.user.name". Did you mean: ${run.id}, ${run.user.id}, ${run.user.email}?',
    ],
    ['Fill "a" with ${remembered.b}', '14:18-14:33 MOLAR_S005 "b" is not remembered before this step.'],
    ['Assert download b is "x"', '14:4-14:28 MOLAR_S005 No step before this one downloads as "b".'],
    ['Request POST /x\n   ```json\n   {"a": "${nope}"}\n   ```', '16:11-16:18 MOLAR_S005 There is no variable "nope".'],
    ['Click "a" {timeot: 3s}', '14:15-14:21 MOLAR_S006 This step has no option "timeot". Did you mean: timeout?'],
    [
      'Click "a" {timeout: 3}',
      '14:24-14:25 MOLAR_S006 The option "timeout" is a duration. A duration is a number and a unit: 250ms, 30s, 5m, 2h, 30d. Did you mean: 3s, 3ms?',
    ],
    [
      'Click "a" {nth: 0}',
      '14:20-14:21 MOLAR_S006 The option "nth" is a whole number from 1 to 999999. Did you mean: 1?',
    ],
    [
      'Click "a" {exact: yes}',
      '14:22-14:25 MOLAR_S006 The option "exact" is true or false. Did you mean: true, false?',
    ],
    [
      'Click "a" {times: 1}',
      '14:15-14:20 MOLAR_S006 This step has no option "times". Did you mean: exact, first, last, name, nth, optional, timeout?',
    ],
    [
      'Assert 3 row {first}',
      '14:18-14:23 MOLAR_S006 This step has no option "first". Did you mean: exact, name, optional, timeout?',
    ],
    ['Click "a" {exact', '14:14-14:20 MOLAR_S006 The options are never closed by "}".'],
    [
      'Click buton "a"',
      '14:10-14:15 MOLAR_S010 "buton" is not an ARIA role; a target is "name", role "name", testid "x" or a CSS selector in backticks. Did you mean: button?',
    ],
    [
      'Click Pay now',
      '14:10-14:13 MOLAR_S010 "Pay" is not an ARIA role; a target is "name", role "name", testid "x" or a CSS selector in backticks. Did you mean: "Pay now"?',
    ],
    [
      'Click `xpath=//a`',
      '14:10-14:21 MOLAR_S011 Only CSS selectors stand in backticks: no XPath, no other engine, no ">>".',
    ],
    [
      'Click `a >> b`',
      '14:10-14:18 MOLAR_S011 Only CSS selectors stand in backticks: no XPath, no other engine, no ">>".',
    ],
  ]
  for (const [line, expected] of cases) t.same(one(line), [expected], line)
  t.match(one(`Assert url matches /${'a'.repeat(1000)}`), [/^14:23-14:1024 MOLAR_S011 A pattern has at most 1000/])
  t.match(one(`Assert url matches /${'**/'.repeat(9)}`), [/MOLAR_S011 A pattern has "\*\*" at most 8 times/])
  t.match(problems(scenario(steps('Accept dialog'))), [
    '10:4-10:17 MOLAR_S003 No step before this one could open a dialog.',
  ])
  t.same(problems(scenario(steps('Navigate to ${env.HOEM}')), { knownEnv: ['HOME'] }), [
    '10:16-10:27 MOLAR_S005 The environment has no "HOEM". Did you mean: ${env.HOME}?',
  ])
  t.same(plan(scenario(steps('Navigate to ${env.B}', 'Navigate to ${env.A}'))).env, ['A', 'B'])
})

t.test('problems of the front matter point at the key or at the value', async (t) => {
  const one = (text: string) => problems(`---\n${text}---\n${steps('Reload')}\n`)
  const with_ = (line: string) => one(`${required}${line}\n`)
  t.same(with_('retrys: 1'), ['6:1-6:7 MOLAR_S004 There is no key "retrys". Did you mean: retries?'])
  t.same(with_('mender: { mode: of }'), [
    '6:17-6:19 MOLAR_S003 "mender.mode" must be off, suggestive or aggressive. Did you mean: off?',
  ])
  t.same(with_('clones: [{ kind: stripe, sed: x }]'), [
    '6:26-6:29 MOLAR_S004 There is no key "clones[0].sed". Did you mean: seed?',
  ])
  t.same(with_('retries: many'), ['6:10-6:14 MOLAR_S003 "retries" must be a whole number.'])
  t.match(with_('variables: { env.x: y }'), [/^6:14-6:19 MOLAR_S003 The name "env.x" does not begin with env/])
  t.match(with_('base_url: ftp://x'), [/^6:11-6:18 MOLAR_S003 "base_url" must be an http/])
  t.match(with_('data: [{ a: x }, { b: y }]'), [
    /^6:18-6:26 MOLAR_S003 Every row of "data" has the columns of the first: a/,
  ])
  t.match(with_('uses: [checkout]'), [/^6:8-6:16 MOLAR_S003 A scenario cannot use itself/])
  t.match(with_('slug: other'), [/^6:1-6:5 MOLAR_S009 This key stands here twice/])
  t.match(with_('tags: [a'), [/MOLAR_S009 The front matter is not YAML/])
  t.match(with_('tags: &a [*a]'), [/^6:11-6:13 MOLAR_S009 This alias stands inside of what it stands for/])
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x,x]',
    ...'bcdefg'.split('').map((key, index) => `${key}: &${key} [${Array(10).fill(`*${'abcdef'[index]}`)}]`),
  ]
  t.match(with_(bomb.join('\n')), [/MOLAR_S009 The front matter holds too many values/])
  t.match(with_('tags: !!js/function x'), [/MOLAR_S009/])
  const missing = one("spec_version: '1.0'\nslug: a\ndescription: b\n")
  t.match(missing, [
    /^1:1-1:4 MOLAR_S002 The key "id" is missing\. This one is fresh, paste it: id: [0-9a-f]{8}-[0-9a-f]{4}-7/,
  ])
  t.match(one(required.replace("'1.0'", '1.0')), [/^2:15-2:18 MOLAR_S003 "spec_version" must be '1\.0', in quotes/])
  t.match(one(required.replace(id, 'x')), [/^3:5-3:6 MOLAR_S003 "id" must be a UUIDv7/])
  t.match(one(required.replace('checkout', 'Check out')), [/^4:7-4:16 MOLAR_S003 "slug" is made of/])
  t.same(codes(steps('Reload')), ['S002', 'S002', 'S002', 'S002'], 'no front matter at all')
  t.same(codes('\0'), ['S009'])
  t.same(codes(scenario(steps('Click "\uD800"'))), ['S009'])
})

t.test('all problems at once, by position, whatever else is wrong', async (t) => {
  const source = `---\n${required.replace('slug: checkout', 'slug: A B')}secrets: [A]\n---\n${steps('Tap "x"', 'Fill "a" with ${secrets.B}')}\n`
  t.same(codes(source), ['S003', 'S001', 'S005'])
})

t.test('sections, prose and sizes', async (t) => {
  t.same(codes(scenario('Only prose.')), ['S007'])
  t.same(problems(scenario('## Steps\nOnly prose.')), [
    '9:1-9:9 MOLAR_S007 The section "Steps" holds no steps. Did you mean: 1. Navigate to /?',
  ])
  t.match(problems(scenario(`## Set up\n- Reload\n${steps('Reload')}`)), [
    /^9:1-9:10 MOLAR_S004 "Set up" is not a section.* Did you mean: Setup\?$/,
  ])
  t.same(codes(scenario(steps('Reload\n   - Click "a"'))), ['S001'])
  const many = Array.from({ length: 501 }, () => 'Reload')
  t.match(problems(scenario(steps(...many))), [/^510:6-510:12 MOLAR_S012 A scenario has at most 500 steps; it has 501/])
  t.same(codes(`${scenario(steps('Reload'))}${'x'.repeat(256 * 1024)}`), ['S012'])
  t.same(codes(`${scenario(steps('Reload'))}${'> '.repeat(1000)}x`), ['S012'])
  const nested = (depth: number) => Array.from({ length: depth }, (_, at) => `${'  '.repeat(at)}- x\n`).join('')
  t.same(codes(`${scenario(steps('Reload'))}\n## Notes\n\n${nested(24)}${nested(24)}`), [])
  t.same(codes(`${scenario(steps('Reload'))}\n## Notes\n\n${nested(25)}`), ['S012'])
  t.match(problems(scenario(`${steps('Reload')}${'\nx'.repeat(4000)}`)), [
    /^4002:1-4002:2 MOLAR_S012 A scenario has at most 4000 lines/,
  ])
  const mixed = `Prose.\n\n## Teardown\n* Reload\n\n## Why\n1. Not a step\n\n## setup:\n- Navigate to /a\n\n  Prose below a step.\n+ Reload\n\n## Steps\n\nProse.\n\n### Part\n1) Click\n   "long\n   name"\n\n## Notes\n- not a step`
  t.same(
    plan(scenario(mixed)).steps.map(({ number, section, text }) => `${number} ${section} ${text}`),
    ['1 setup Navigate to /a', '2 setup Reload', '3 steps Click "long name"', '4 teardown Reload'],
  )
  t.match(plan(scenario(mixed)).steps[2], click(name('long name')))
  const loose = '## Steps\n1. Respond to GET /x with 200\n```json\n{}\n```\n2. Reload'
  t.match(
    plan(scenario(loose)).steps,
    [{ body: '{}' }, { verb: 'reload' }],
    'a block that is not indented belongs to the step above',
  )
})

t.test('dialogs and tabs are armed on the last action before them', async (t) => {
  const armed = (...lines: string[]) => plan(scenario(steps(...lines))).steps.map(({ arm }) => arm)
  t.same(armed('Navigate to /', 'Click "a"', 'Wait for "b"', 'Assert "b" is visible', 'Accept dialog with "x"'), [
    undefined,
    { dialog: { accept: true, value: 'x' } },
    undefined,
    undefined,
    undefined,
  ])
  t.same(armed('Click "a"', 'Dismiss dialog', 'Accept dialog'), [
    { dialog: { accept: false } },
    { dialog: { accept: true } },
    undefined,
  ])
  t.same(armed('Click "a"', 'Switch to new tab'), [{ tab: true }, undefined])
  t.same(armed('Click "a"', 'Switch to tab "b"'), [undefined, undefined])
  t.equal(plan(scenario(steps('Advance clock 1d'))).settings.uses_clock, true)
})

t.test('references follow the order of the run, through Setup, Steps and Teardown', async (t) => {
  const body =
    '## Teardown\n- Request DELETE /x/${remembered.a}\n\n## Steps\n1. Remember text of "x" as a\n2. Navigate to /x/${remembered.a}'
  t.equal(plan(scenario(body)).steps.length, 3)
  const login = plan(scenario(steps('Remember text of "x" as user')).replace('slug: checkout', 'slug: login'))
  const uses = scenario(steps('Navigate to /${remembered.user}', 'Navigate to /${remembered.other}'), 'uses: [login]\n')
  t.same(codes(uses), [], 'what a scenario that is not at hand remembers is not known')
  t.match(problems(uses, { uses: { login } }), [/^12:17-12:36 MOLAR_S005 "other" is not remembered/])
})

t.test('same content, same bytes; line ends, BOM, Unicode form and last newlines do not count', async (t) => {
  const source = scenario(steps('Click "é"', 'Click "é"', 'Click "b"'))
  const first = compileScenario(source)
  const variants = [
    source,
    `\uFEFF${source}`,
    source.replaceAll('\n', '\r\n'),
    source.normalize('NFD'),
    source.trimEnd(),
    `${source}\n\n`,
  ]
  for (const variant of variants) t.same(compileScenario(variant), first)
  if (!first.ok) throw new Error('does not compile')
  t.match(first.hash, /^[0-9a-f]{64}$/)
  const changed = plan(source.replace('1. Click', '1. Reload\n2. Click'))
  const ids = first.plan.steps.map(({ step_id }) => step_id)
  t.same(
    changed.steps.slice(1).map(({ step_id }) => step_id),
    ids,
    'a step keeps its id when another comes before it',
  )
  t.equal(new Set(ids).size, 3)
})

t.test('duplicate ids and slugs in a set are S008', async (t) => {
  const source = scenario(steps('Reload'))
  const found = findDuplicates([
    { file: 'a.molar.md', source },
    { file: 'b.molar.md', source: source.replace(id, id.replace(/1$/, '2')) },
    { file: 'c.molar.md', source: 'no scenario' },
  ])
  t.same(
    found.map(({ file, problem }) => formatProblem(file, problem)),
    ['b.molar.md:4:7-4:15 MOLAR_S008 The slug "checkout" is taken by a.molar.md; each scenario has its own.'],
  )
})

t.test('newScenario is valid at once, with any slug and title', async (t) => {
  for (const slug of ['checkout', '123', 'true', '-', 'a-b']) {
    const made = plan(newScenario({ slug, title: 'A "b": #c\n---', base_url: 'http://localhost:3000' }))
    t.equal(made.scenario.slug, slug)
    t.equal(made.settings.base_url, 'http://localhost:3000')
  }
  t.equal(newScenario({ slug: 'a', id }), newScenario({ slug: 'a', id }))
})

t.test('the project file is read as far as it goes, and the rest is a warning', async (t) => {
  const { warnings, ...project } = readProject(
    `---\nscenarios: e2e\nvariables: { a: 1 }\ncolour: red\n---\n# Shop\nbase_url: https://shop.example\n\n## Clones\n- stripe\n- Email: outbox\n- ?\n\n## Scenarios\n- checkout: buys one item\n- not a slug: x\n`,
  )
  t.same(project, {
    name: 'Shop',
    base_url: 'https://shop.example',
    scenarios_directory: 'e2e',
    variables: { a: '1' },
    clones: ['stripe', 'email'],
    scenarios: [{ slug: 'checkout', goal: 'buys one item' }],
    web_server: undefined,
    environments: {},
  })
  t.same(
    warnings.map(({ code, range }) => `${code} ${range.start.line}`),
    ['MOLAR_S004 4', 'MOLAR_S003 12', 'MOLAR_S003 16'],
  )
  t.same(readProject('').warnings, [])
  const served = readProject(
    `---\nweb_server: { command: npm start, url: 'http://localhost:3000', timeout: 2m }\nenvironments:\n  staging: https://staging.example\n  local: { base_url: 'http://localhost:3000', variables: { a: 2 } }\n---\n# Shop\n`,
  )
  t.match(served, {
    web_server: { command: 'npm start', url: 'http://localhost:3000', timeout_ms: 120_000, reuse: undefined, cwd: '.' },
    environments: {
      staging: { base_url: 'https://staging.example', variables: {} },
      local: { base_url: 'http://localhost:3000', variables: { a: '2' } },
    },
    warnings: [],
  })
  for (const wrong of [
    'web_server: npm start',
    "web_server: { command: x, url: 'ftp://x' }",
    "web_server: { command: x, url: 'http://x', port: 1 }",
    "web_server: { command: x, url: 'http://x', cwd: ../up }",
    'environments: [a]',
    'environments: { a: { url: 1 } }',
  ])
    t.match(
      readProject(`---\n${wrong}\n---\n# S\n`).warnings,
      [{ code: 'MOLAR_S003', range: { start: { line: 2 } } }],
      wrong,
    )
})

t.test('the inlined runtime is the runtime', async (t) => {
  const generated = readFileSync(join(import.meta.dirname, '../../../src/core/scenarios/runtime.generated.ts'), 'utf8')
  t.equal(generated, generateRuntime(), 'run node scripts/generate-runtime.ts')
})
