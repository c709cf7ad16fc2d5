import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser } from 'playwright-core'
import t from 'tap'
import type { Action, PlanSettings, PlanStep } from '../../../src/core/scenarios/plan.ts'
import type { RuntimeEnvironment, RuntimeEvent } from '../../../src/core/scenarios/runtime/environment.ts'
import { redactText, StepFailure } from '../../../src/core/scenarios/runtime/failure.ts'
import { jsonPathKeys, readJsonPath } from '../../../src/core/scenarios/runtime/json-path.ts'
import { globMatches, urlIs, urlMatches } from '../../../src/core/scenarios/runtime/matching.ts'
import { openSession, type Session } from '../../../src/core/scenarios/runtime/session.ts'
import { chromium } from '../../../src/worker/browser/playwright.ts'
import { launchOptions } from '../../fixtures/browser.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

const pages: Record<string, string | Handler> = { '/never': () => {} }
const server = createServer((request, response) => {
  const path = request.url!.split('?')[0]!
  const page = pages[path]
  if (typeof page === 'function') return page(request, response)
  response.writeHead(page === undefined ? 404 : 200, { 'content-type': 'text/html; charset=utf-8' })
  response.end(page === undefined ? 'not here' : `<!doctype html><title>Test</title><link rel=icon href=data:,>${page}`)
})
let browser: Browser
let base = ''

t.before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  browser = await chromium.launch(await launchOptions())
})
t.teardown(async () => {
  await browser?.close()
  server.closeAllConnections()
  server.close()
})

const settings: PlanSettings = {
  timeout_ms: 30_000,
  step_timeout_ms: 2000,
  retries: 0,
  viewport: { width: 1280, height: 720, mobile: false },
  assertions: {},
  uses_clock: false,
}

type Loose = Action & Partial<Pick<PlanStep, 'options' | 'arm' | 'text'>>
let counter = 0

function step(action: Loose): PlanStep {
  counter += 1
  const range = { start: { line: counter, column: 1 }, end: { line: counter, column: 9 } }
  return {
    step_id: `s_${counter}`,
    number: counter,
    section: 'steps',
    text: 'step',
    range,
    options: {},
    ...action,
  } as PlanStep
}

interface World {
  session: Session
  events: RuntimeEvent[]
  run: (...actions: Loose[]) => Promise<void>
  /** The failure that the step throws. */
  fails: (action: Loose) => Promise<StepFailure>
  /** Goes on in the same session, with this page. */
  show: (html: string) => Promise<World>
}

async function world(
  t: { teardown: (close: () => Promise<void>) => void },
  html = '',
  more: { environment?: Partial<RuntimeEnvironment>; settings?: Partial<PlanSettings> } = {},
): Promise<World> {
  const context = await browser.newContext({ viewport: { width: 400, height: 300 } }) // nobody looks: less to paint
  t.teardown(() => context.close())
  const events: RuntimeEvent[] = []
  const environment: RuntimeEnvironment = {
    baseUrl: base,
    variables: { 'user.email': 'ada@example.com' },
    env: { REGION: 'eu' },
    secrets: { PASSWORD: 'hunter2&"x' },
    run: { id: 'r1', user: { id: 'u1', email: 'u1@example.com' } },
    data: { colour: 'red' },
    stepTimeoutMs: 1500,
    files: async (name) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(`content of ${name}`) }),
    onEvent: (event) => events.push(event),
    ...more.environment,
  }
  const session = await openSession(context, { ...settings, ...more.settings }, environment)
  const run = async (...actions: Loose[]) => {
    for (const action of actions) await session.run(step(action))
  }
  const fails = async (action: Loose) => {
    try {
      await session.run(step(action))
    } catch (error) {
      if (error instanceof StepFailure) return error
      throw error
    }
    throw new Error(`should have failed: ${JSON.stringify(action)}`)
  }
  const show = async (html: string) => {
    pages['/page'] = html
    await run({ verb: 'navigate', to: '/page' })
    return here
  }
  const here: World = { session, events, run, fails, show }
  return html === '' ? here : show(html)
}

const named = (name: string) => ({ by: 'name' as const, name })
const role = (role: string, name?: string) => ({ by: 'role' as const, role, ...(name === undefined ? {} : { name }) })
const css = (css: string) => ({ by: 'css' as const, css })
const click = (target: Loose extends infer _ ? ReturnType<typeof named | typeof role | typeof css> : never): Loose => ({
  verb: 'click',
  target,
  button: 'left',
  count: 1,
})
const shows = (text: string, negated = false): Loose => ({
  verb: 'assert',
  negated,
  subject: 'text',
  value: text,
  state: 'visible',
})
const has = (target: ReturnType<typeof css | typeof named>, value: string, what: 'text' | 'value' = 'text'): Loose => ({
  verb: 'assert',
  negated: false,
  subject: 'content',
  target,
  what,
  match: 'is',
  value,
})

t.test('globs stay within a segment or cross it, compare the query only if asked, and stay linear', async (t) => {
  for (const [pattern, url, expected] of [
    ['/orders/*', 'http://h/orders/1', true],
    ['/orders/*', 'http://h/orders/1/items', false],
    ['/orders/**', 'http://h/orders/1/items', true],
    ['/a/**/z', 'http://h/a/z', true],
    ['/a/**/z', 'http://h/a/b/c/z', true],
    ['/orders', 'http://h/orders?page=2#top', true],
    ['/orders?page=*', 'http://h/orders?page=2&x=/y', true],
    ['/orders?page=3', 'http://h/orders?page=2', false],
    ['/orders?page=3', 'http://h/orders', false],
    ['http://h/orders', 'http://h/orders', true],
    ['http://other/orders', 'http://h/orders', false],
    ['/#/todo/*', 'http://h/#/todo/1', true],
    ['/café', 'http://h/caf%C3%A9', true],
    ['/a.c', 'http://h/abc', false],
    ['/order', 'http://h/orders', false],
  ] as const) {
    t.equal(urlMatches(pattern, url), expected, `${pattern} on ${url}`)
  }
  t.ok(urlIs('/a?b=1', 'http://h/a?b=1'))
  t.notOk(urlIs('/a', 'http://h/a?b=1'))
  t.ok(urlIs('http://h', 'http://h/'))
  const started = performance.now()
  t.notOk(globMatches(`${'*a'.repeat(100)}b`, 'a'.repeat(2000)))
  t.ok(performance.now() - started < 1000, 'hostile patterns do not explode')
})

t.test('JSON paths read own fields only, and what is no path is told', async (t) => {
  const value = { a: { b: [{ c: 1 }, { 'd e': null }] } }
  t.equal(readJsonPath(value, jsonPathKeys('$.a.b[0].c')!), 1)
  t.equal(readJsonPath(value, jsonPathKeys('$.a.b[1]["d e"]')!), null)
  t.equal(readJsonPath(value, jsonPathKeys('$.a.b.length')!), 2)
  t.equal(readJsonPath(value, jsonPathKeys('$.constructor')!), undefined)
  t.same(jsonPathKeys('$'), [])
  for (const bad of ['$.', '$..a', '$.a[', '$x', '$.a[]']) t.equal(jsonPathKeys(bad), undefined, bad)
})

t.test('redaction replaces whole, encoded and overlapping secrets and never its own output', async (t) => {
  const secrets = { A: 'abc', LONG: 'abcdef', S: 's', E: 'p&"q' }
  t.equal(redactText('abcdef abc', { A: 'abc', LONG: 'abcdef' }), '${secrets.LONG} ${secrets.A}')
  t.equal(redactText('x=p%26%22q {"v":"p&\\"q"}', { E: secrets.E }), 'x=${secrets.E} {"v":"${secrets.E}"}')
  t.equal(redactText('as', { S: 's', A: 'a' }), '${secrets.A}${secrets.S}')
})

t.test('a name alone is looked for as a person means it', async (t) => {
  const here = await world(t)
  await t.test(
    'fill takes the labelled field and not the label, also by placeholder and title, and password fields',
    async (t) => {
      const { run, session } = await here.show(
        `<p>Email</p><label for=e>Email</label><input id=e>
       <label>Password <input id=p type=password></label>
       <input id=h placeholder="Search  shops"><input id=ti title="Your age" type=number>
       <div id=ce contenteditable aria-label=Notes></div>`,
      )
      await run(
        { verb: 'fill', target: named('email'), value: [{ ref: 'user.email' }] },
        { verb: 'fill', target: role('textbox', 'Password'), value: [{ ref: 'secrets.PASSWORD' }] },
        { verb: 'fill', target: named('search shops'), value: 'x' },
        { verb: 'fill', target: named('Your age'), value: '7' },
        { verb: 'fill', target: named('Notes'), value: 'n' },
      )
      const values = await session.page.evaluate(() =>
        ['e', 'p', 'h', 'ti'].map((id) => (document.getElementById(id) as HTMLInputElement).value),
      )
      t.same(values, ['ada@example.com', 'hunter2&"x', 'x', '7'])
      t.equal(await session.page.textContent('#ce'), 'n')
      await run(
        { verb: 'clear', target: named('Email') },
        { verb: 'assert', negated: false, subject: 'state', target: named('Email'), state: 'empty' },
      )
    },
  )

  await t.test('whole goes before substring, in any case and spacing, and exact forbids both', async (t) => {
    const { run, session, fails } = await here.show(
      `<button onclick="out.textContent='now'">Pay   now</button><button onclick="out.textContent='later'">Pay now later</button>
       <button onclick="out.textContent='quote'">Say "hi" >> now/\\</button><p id=out>-</p>`,
    )
    await run(click(named('PAY NOW')), has(css('#out'), 'now'))
    await run(click(named('now later')), has(css('#out'), 'later'))
    await run(click(named('say "hi" >> now/\\')), has(css('#out'), 'quote'))
    const failure = await fails({
      ...click({ ...named('pay now'), exact: true } as never),
      options: { timeout_ms: 200 },
    })
    t.match(failure.message, /Nothing matches "pay now"/)
    t.equal(failure.kind, 'action')
    t.ok(failure.candidates!.some((one) => one.locator === 'button "Pay now"'))
    t.equal(await session.page.textContent('#out'), 'quote')
  })

  await t.test('a click prefers button and link, the inner of two, and passes over hidden twins', async () => {
    const { run } = await here.show(
      `<h2>Search</h2><input aria-label=Search><button onclick="out.textContent='button'">Search</button>
       <div role=tab tabindex=0><a href="#" onclick="out.textContent='link'">Docs</a></div>
       <button style="display:none">Save</button><button style="visibility:hidden">Save</button><button onclick="out.textContent='seen'">Save</button>
       <div onclick="out.textContent='text'" style="cursor:pointer">Plain thing</div>
       <div role=menuitem tabindex=0 onclick="out.textContent='item'">Rename</div><p>Rename</p><p id=out></p>`,
    )
    for (const [name, result] of [
      ['Search', 'button'],
      ['Docs', 'link'],
      ['Save', 'seen'],
      ['Plain thing', 'text'],
      ['Rename', 'item'],
    ] as const) {
      await run(click(named(name)), has(css('#out'), result))
    }
  })

  await t.test('a late label is not lost to early text, nor a late whole name to an early part', async () => {
    const { run } = await here.show(
      `<p id=early>Pay now</p><button>Send to all</button><p id=out>-</p><label>Mail</label><script>
       early.onclick = () => out.textContent = 'early'
       setTimeout(() => document.body.insertAdjacentHTML('beforeend',
         "<button onclick=\\"out.textContent='late'\\">Pay now</button><button onclick=\\"out.textContent='whole'\\">Send</button><input aria-label=Mail>"), 200)
       </script>`,
    )
    await run({ verb: 'fill', target: named('Mail'), value: 'x' })
    await run({ verb: 'reload' }, click(named('Pay now')), has(css('#out'), 'late'))
    await run({ verb: 'reload' }, click(named('Send')), has(css('#out'), 'whole'))
  })

  await t.test('several fail and are listed; nth, first and last choose', async (t) => {
    const rows = ['Ada', 'Bob', 'Cleo'].map(
      (n) => `<tr><td>${n}</td><td><button onclick="out.textContent='${n}'">Delete</button></td></tr>`,
    )
    const { run, fails } = await here.show(
      `<table>${rows.join('')}</table><ul><li>Dora <button onclick="out.textContent='Dora'">Drop</button></li><li>Eve <button>Drop</button></li></ul><p id=out></p>`,
    )
    const failure = await fails({ ...click(named('Delete')), options: { timeout_ms: 300 } })
    t.match(failure.message, /3 elements match "Delete"/)
    t.equal(failure.candidates!.length, 3)
    t.match(failure.candidates![1]!.description, /<button.*within "Bob/)
    t.match(failure.hint, /nth/)
    await run(click({ ...named('Delete'), nth: 2 } as never), has(css('#out'), 'Bob'))
    await run(click({ ...named('Delete'), last: true } as never), has(css('#out'), 'Cleo'))
    await run(click({ ...named('Delete'), first: true } as never), has(css('#out'), 'Ada'))
    await run(click({ ...named('Delete'), within: role('row', 'bob') } as never), has(css('#out'), 'Bob'))
    await run(click({ ...named('Delete'), within: named('Cleo') } as never), has(css('#out'), 'Cleo'))
    await run(click({ ...role('button', 'Drop'), within: role('listitem', 'Dora') } as never), has(css('#out'), 'Dora'))
    const missing = await fails({
      ...click({ ...named('Delete'), within: role('row', 'Zoe') } as never),
      options: { timeout_ms: 200 },
    })
    t.match(missing.message, /row "Zoe"/)
    const few = await fails({ ...click({ ...named('Delete'), nth: 9 } as never), options: { timeout_ms: 200 } })
    t.match(few.message, /Only 3 match "Delete" \{nth: 9\}/)
  })

  await t.test('what is not found is answered with the nearest, at most five', async (t) => {
    const { fails } = await here.show(
      `<button>Pay now</button><a href=x>Pay later</a>${'<button>Other</button>'.repeat(20)}`,
    )
    const failure = await fails({ ...click(named('Pay noww')), options: { timeout_ms: 200 } })
    t.equal(failure.candidates![0]!.locator, 'button "Pay now"')
    t.ok(failure.candidates!.length <= 5)
    t.match(failure.hint, /button "Pay now"/)
  })

  await t.test('CSS is CSS only: no other engine, no chain', async (t) => {
    const { run, fails } = await here.show(
      `<button id=b data-testid=go onclick="out.textContent='ok'">x</button><p id=out></p>`,
    )
    await run(click(css('#b')), has(css('#out'), 'ok'))
    await run(click({ by: 'testid', testid: 'go' } as never))
    for (const bad of [
      '#b >> text=x',
      'xpath=//button',
      '//button',
      'text=x',
      'button[',
      ':text-matches("(a+)+")',
      '',
    ]) {
      t.equal((await fails(click(css(bad)))).kind, 'action', bad)
    }
  })

  await t.test('open shadow roots are looked into', async () => {
    const { run } = await here.show(
      `<x-box></x-box><p id=out></p><script>customElements.define('x-box', class extends HTMLElement { connectedCallback() {
        this.attachShadow({mode:'open'}).innerHTML = '<label>Inner <input></label><button>Shade</button>'
        this.shadowRoot.querySelector('button').onclick = () => out.textContent = this.shadowRoot.querySelector('input').value } })</script>`,
    )
    await run({ verb: 'fill', target: named('Inner'), value: 'deep' }, click(named('Shade')), has(css('#out'), 'deep'))
  })
})

t.test('actions do what their verb says', async (t) => {
  const here = await world(t)
  await t.test('click, double and right click, hover, focus, scroll, press, type', async () => {
    const { run } = await here.show(
      `<button id=b>Do</button><input id=i aria-label=Field value=ab><div style="height:3000px"></div><p id=far>Far</p><p id=out style="position:fixed;top:90px"></p><script>
       b.ondblclick = () => out.textContent = 'double'; b.oncontextmenu = () => out.textContent = 'right'; b.onmouseenter = () => out.textContent = 'hover'
       i.onfocus = () => out.textContent = 'focus'; i.onkeydown = (e) => { if (e.key === 'Enter') out.textContent = 'enter ' + i.value }
       new IntersectionObserver(([e]) => { if (e.isIntersecting) out.textContent = 'scrolled' }).observe(far)</script>`,
    )
    await run({ verb: 'hover', target: named('Do') }, has(css('#out'), 'hover'))
    await run({ verb: 'click', target: named('Do'), button: 'left', count: 2 }, has(css('#out'), 'double'))
    await run({ verb: 'click', target: named('Do'), button: 'right', count: 1 }, has(css('#out'), 'right'))
    await run({ verb: 'focus', target: named('Field') }, has(css('#out'), 'focus'))
    await run(
      { verb: 'press', key: 'Control+A' },
      { verb: 'type', value: 'xy' },
      { verb: 'press', key: 'Enter', target: named('Field') },
    )
    await run(
      has(css('#out'), 'enter xy'),
      { verb: 'type', target: named('Field'), value: 'z' },
      has(named('Field'), 'xyz', 'value'),
    )
    await run({ verb: 'scroll', target: named('Far') }, has(css('#out'), 'scrolled'))
  })

  await t.test('check and uncheck, native, styled over, radio and ARIA', async (t) => {
    const { run, fails } = await here.show(
      `<label><input type=checkbox id=a> I agree</label>
       <label for=s>Styled</label><input type=checkbox id=s style="position:absolute;width:0;height:0;opacity:0;appearance:none;margin:0">
       <label><input type=radio name=r> Red</label><label><input type=radio name=r> Blue</label>
       <div role=switch aria-checked=false tabindex=0 onclick="this.ariaChecked = this.ariaChecked === 'true' ? 'false' : 'true'">Dark</div>`,
    )
    const checked = (name: string, negated = false): Loose => ({
      verb: 'assert',
      negated,
      subject: 'state',
      target: named(name),
      state: 'checked',
    })
    for (const name of ['I agree', 'Styled', 'Blue', 'Dark'])
      await run({ verb: 'check', target: named(name) }, checked(name))
    await run(
      { verb: 'uncheck', target: named('I agree') },
      { verb: 'uncheck', target: named('Dark') },
      checked('I agree', true),
      checked('Dark', true),
    )
    await run({ verb: 'assert', negated: false, subject: 'state', target: named('Red'), state: 'unchecked' })
    const failure = await fails({ ...checked('Red'), options: { timeout_ms: 200 } })
    t.match([failure.kind, failure.expected, failure.actual], ['assertion', '"Red" is checked', 'unchecked'])
  })

  await t.test('select by what is read, several, late ones, and lists made of roles', async (t) => {
    const { run, session, fails } = await here.show(
      `<label>Country <select id=c><option value=de>Germany<option value=fr>France<option value=x disabled>Nowhere</select></label>
       <label>Tags <select id=m multiple><option>a<option>b<option>c</select></label>
       <button role=combobox aria-label=Size aria-expanded=false aria-controls=l id=size onclick="l.hidden=false;this.ariaExpanded='true'">-</button>
       <div role=listbox id=l hidden aria-label=Sizes><div role=option onclick="size.textContent='L';l.hidden=true">Large</div><div role=option>Small</div></div>
       <script>setTimeout(() => c.add(new Option('Spain', 'es')), 200)</script>`,
    )
    await run(
      { verb: 'select', target: named('Country'), values: ['france'] },
      has(named('Country'), 'fr', 'value'),
      has(named('Country'), 'France', 'value'),
    )
    await run({ verb: 'select', target: named('Country'), values: ['Spain'] }, has(named('Country'), 'es', 'value'))
    await run({ verb: 'select', target: named('Tags'), values: ['a', 'c'] })
    t.same(
      await session.page.evaluate(() =>
        [...(document.getElementById('m') as HTMLSelectElement).selectedOptions].map((o) => o.value),
      ),
      ['a', 'c'],
    )
    await run({ verb: 'select', target: named('Size'), values: ['Large'] }, has(css('#size'), 'L'))
    const failure = await fails({
      verb: 'select',
      target: named('Country'),
      values: ['Nowhere'],
      options: { timeout_ms: 200 },
    })
    t.match(failure.actual, /"Germany".*"Nowhere" \(disabled\)/)
  })

  await t.test('drag, upload to a field, a label and a chooser, download', async (t) => {
    pages['/file'] = (_, response) => {
      response.writeHead(200, {
        'content-disposition': 'attachment; filename="report-1.csv"',
        'content-type': 'text/csv',
      })
      response.end('a,b')
    }
    const { run, fails, events } = await here.show(
      `<div draggable=true id=d>Card</div><div id=z style="height:80px" ondragover="event.preventDefault()" ondrop="out.textContent='dropped'">Zone</div>
       <label>Hidden file <input type=file id=f style="display:none" onchange="out.textContent=this.files[0].name"></label>
       <input type=file aria-label=Plain onchange="this.files[0].text().then(t => out.textContent = t)">
       <button onclick="const i = document.createElement('input'); i.type='file'; i.onchange=()=>out.textContent='chosen '+i.files[0].name; i.click()">Choose</button>
       <a href=/file>Report</a><p id=out></p>`,
    )
    const patient = { timeout_ms: 10_000 } // a busy machine needs seconds for a drag's many moves
    await run({ verb: 'drag', target: named('Card'), to: named('Zone'), options: patient }, has(css('#out'), 'dropped'))
    await run({ verb: 'upload', target: named('Hidden file'), file: 'a.txt' }, has(css('#out'), 'a.txt'))
    await run({ verb: 'upload', target: named('Plain'), file: 'b.txt' }, has(css('#out'), 'content of b.txt'))
    await run({ verb: 'upload', target: named('Choose'), file: 'c.txt' }, has(css('#out'), 'chosen c.txt'))
    await run({ verb: 'download', target: named('Report'), as: 'report' })
    await run({
      verb: 'assert',
      negated: false,
      subject: 'download',
      download: 'report',
      match: 'contains',
      value: '.csv',
    })
    t.match(
      events.find((one) => one.kind === 'download'),
      { as: 'report', file_name: 'report-1.csv' },
    )
    t.match(
      (await fails({ verb: 'download', target: named('Card'), as: 'x', options: { timeout_ms: 300 } })).message,
      /No download began/,
    )
    t.equal(
      (await fails({ verb: 'assert', negated: false, subject: 'download', download: 'other', match: 'is', value: 'x' }))
        .kind,
      'assertion',
    )
  })

  await t.test('what is there but cannot be acted on says why', async (t) => {
    const { run, fails } = await here.show(
      `<button disabled id=b onclick="out.textContent='done'">Off</button><button>Under</button><div id=over style="position:fixed;inset:0;top:60px;z-index:9"></div><input readonly aria-label=Fixed><button style="position:absolute;top:100px">Covered</button><input type=date aria-label=Day><p id=out></p>`,
    )
    t.match(
      (await fails({ ...click(named('Off')), options: { timeout_ms: 400 } })).message,
      /"Off" is there, but it is disabled/,
    )
    t.match(
      (await fails({ ...click(named('Covered')), options: { timeout_ms: 400 } })).message,
      /something else lies over it \(<div id="over"/,
    )
    t.match(
      (await fails({ verb: 'fill', target: named('Fixed'), value: 'x', options: { timeout_ms: 400 } })).message,
      /read-only/,
    )
    t.match(
      (await fails({ verb: 'fill', target: named('Day'), value: 'tomorrow' })).message,
      /does not take a value of that form/,
    )
    t.match((await fails({ verb: 'press', key: 'Entr' })).message, /"Entr" is no key/)
    await run({ verb: 'wait_time', ms: 10 })
  })

  await t.test(
    'an element that is replaced while it is awaited is found again, and a slow click is made once',
    async () => {
      pages['/slow'] = (_, response) => void setTimeout(() => response.end('at last'), 3500)
      // The page waits for its request without letting go: as stuck as in a loop, and it costs no processor.
      const { run } = await here.show(
        `<div id=box><button disabled>Go</button></div><button id=slow>Slow</button><p id=out>0</p><script>
       let n = 0; slow.onclick = () => { n++; const asked = new XMLHttpRequest(); asked.open('GET', '/slow', false); asked.send(); out.textContent = n }
       setTimeout(() => box.innerHTML = "<a href='#' onclick=\\"out.textContent='new'\\">Go</a>", 300)</script>`,
      )
      await run({ ...click(named('Go')), options: { timeout_ms: 8000 } }, has(css('#out'), 'new'))
      await run({ ...click(named('Slow')), options: { timeout_ms: 8000 } }, has(css('#out'), '1'))
    },
  )
})

t.test('requests and responses are awaited since the action before, or to come', async (t) => {
  pages['/api/ok'] = (_, response) => {
    response.writeHead(201, { 'content-type': 'application/json' })
    response.end('{"order":{"items":[{"name":"Tea"}],"total":3,"tags":["a","b"]}}')
  }
  pages['/api/boom'] = (_, response) => void response.writeHead(500).end('no')
  const { run, fails, session } = await world(
    t,
    `<button onclick="fetch('/api/ok?x=1',{method:'POST'})">Now</button><button onclick="setTimeout(()=>fetch('/api/ok'),400)">Soon</button>
     <button onclick="fetch('/api/boom')">Boom</button><button>Nothing</button>`,
  )
  const path = (path: string, value: string, match: 'is' | 'contains' = 'is'): Loose => ({
    verb: 'assert',
    negated: false,
    subject: 'response_path',
    path,
    match,
    value,
  })
  await run(
    click(named('Now')),
    { verb: 'wait_time', ms: 200 },
    { verb: 'wait_request', method: 'POST', pattern: '/api/ok' },
  )
  await run(
    { verb: 'wait_response', method: '*', pattern: '/api/*', status: 201 },
    { verb: 'assert', negated: false, subject: 'response_status', status: 201 },
  )
  await run(
    path('$.order.items[0].name', 'Tea'),
    path('$.order.total', '3'),
    path('$.order.tags', 'b', 'contains'),
    path('$.order.tags', '["a", "b"]'),
  )
  await run({ verb: 'remember', as: 'item', from: { what: 'response', path: '$.order.items[0].name' } })
  t.equal(session.remembered.item, 'Tea')
  t.match((await fails({ ...path('$.order.gone', 'x'), options: { timeout_ms: 100 } })).actual, /nothing there/)
  await run(click(named('Soon')), { verb: 'wait_response', method: 'GET', pattern: '/api/ok' })
  await run(click(named('Nothing')))
  const old = await fails({ verb: 'wait_request', method: 'POST', pattern: '/api/ok', options: { timeout_ms: 200 } })
  t.match([old.kind, old.expected], ['action', 'request POST /api/ok'], 'an earlier action’s request does not count')
  await run(click(named('Boom')))
  const wrong = await fails({
    verb: 'wait_response',
    method: 'GET',
    pattern: '/api/boom',
    status: 200,
    options: { timeout_ms: 300 },
  })
  t.match(wrong.actual, /\/api\/boom → 500/)
})

t.test('Request shares cookies, follows redirects that are allowed, and compares the status', async (t) => {
  pages['/login'] = (_, response) => void response.writeHead(200, { 'set-cookie': 'sid=7; HttpOnly' }).end('in')
  pages['/me'] = (request, response) =>
    void response.writeHead(200).end(JSON.stringify({ cookie: request.headers.cookie, h: request.headers['x-a'] }))
  pages['/echo'] = (request, response) => {
    let body = ''
    request
      .on('data', (chunk) => (body += chunk))
      .on('end', () =>
        response
          .writeHead(200)
          .end(JSON.stringify({ method: request.method, type: request.headers['content-type'], body })),
      )
  }
  pages['/away'] = (_, response) => void response.writeHead(302, { location: 'http://192.0.2.1/x' }).end()
  pages['/near'] = (_, response) => void response.writeHead(302, { location: '/echo' }).end()
  const { run, fails } = await world(t, '<p>x</p>', {
    environment: {
      allowRequest: (url) => {
        if (new URL(url).origin !== base) throw new Error('not an allowed origin')
      },
    },
  })
  const path = (path: string, value: string): Loose => ({
    verb: 'assert',
    negated: false,
    subject: 'response_path',
    path,
    match: 'is',
    value,
  })
  await run({ verb: 'navigate', to: '/login' }, { verb: 'set_header', key: 'X-A', value: 'yes' })
  await run({ verb: 'request', method: 'GET', url: '/me', expects: 200 }, path('$.cookie', 'sid=7'), path('$.h', 'yes'))
  await run({
    verb: 'request',
    method: 'POST',
    url: '/echo',
    body: ['{"a":"', { ref: 'data.colour' }, '"}'],
    content_type: 'application/json',
  })
  await run(path('$.body', '{"a":"red"}'), path('$.type', 'application/json'))
  await run(
    { verb: 'request', method: 'POST', url: '/near', body: 'x', content_type: 'text/plain' },
    path('$.method', 'GET'),
    path('$.body', ''),
  )
  const wrong = await fails({ verb: 'request', method: 'GET', url: '/nowhere', expects: 200 })
  t.match([wrong.kind, wrong.expected, wrong.actual], ['assertion', 'status 200', /^status 404: not here/])
  const refused = await fails({ verb: 'request', method: 'GET', url: '/away' })
  t.match([refused.kind, refused.message], ['environment', /may not request http:\/\/192\.0\.2\.1\/x/])
})

t.test('dialogs are met when armed, closed when not, and never hang', async (t) => {
  const { run, fails, events, session } = await world(
    t,
    `<button onclick="out.textContent=confirm('sure?')">Confirm</button><button onclick="out.textContent=prompt('name?')">Prompt</button>
     <button onclick="alert('hello');out.textContent='after'">Alert</button><button onclick="setTimeout(()=>out.textContent=confirm('late'),300)">Late</button>
     <button onclick="const a=confirm('one');const b=prompt('two');out.textContent=a+' '+b">Two</button><p id=out></p>`,
  )
  await run(
    { ...click(named('Confirm')), arm: { dialog: { accept: true } } },
    { verb: 'dialog', accept: true },
    has(css('#out'), 'true'),
  )
  await run(
    { ...click(named('Confirm')), arm: { dialog: { accept: false } } },
    { verb: 'dialog', accept: false },
    has(css('#out'), 'false'),
  )
  await run({ ...click(named('Prompt')), arm: { dialog: { accept: true, value: [{ ref: 'data.colour' }] } } })
  await run({ verb: 'dialog', accept: true, value: [{ ref: 'data.colour' }] }, has(css('#out'), 'red'))
  await run(
    { ...click(named('Late')), arm: { dialog: { accept: true } } },
    { verb: 'dialog', accept: true },
    has(css('#out'), 'true'),
  )
  await run(click(named('Confirm')), has(css('#out'), 'false'))
  t.match(events.filter((one) => one.kind === 'dialog').at(-1), {
    type: 'confirm',
    message: 'sure?',
    accepted: false,
    awaited: false,
  })
  await run(click(named('Alert')), has(css('#out'), 'after'), { verb: 'dialog', accept: true })
  const chained = { accept: true, value: 'second' }
  await run({ ...click(named('Two')), arm: { dialog: { accept: true } } })
  await run({ verb: 'dialog', accept: true, arm: { dialog: chained } }, { verb: 'dialog', ...chained })
  await run(has(css('#out'), 'true second'))
  await run({ ...click(named('Two')), arm: { dialog: { accept: true } } }, has(css('#out'), 'true null'))
  await run({ verb: 'dialog', accept: true })
  const none = await fails({ verb: 'dialog', accept: true, options: { timeout_ms: 150 } })
  t.match([none.kind, none.message], ['action', /No dialog opened/])
  await session.page.evaluate(() => {
    window.onbeforeunload = () => 'stay'
  })
  await run(click(named('Alert')), { verb: 'reload' }, { verb: 'navigate', to: '/page?again' })
})

t.test('tabs are followed, named, closed, and a tab that closes itself is left', async (t) => {
  pages['/second'] = (_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' })
    response.end('<title>Second page</title><h1>Two</h1><button onclick="window.close()">Bye</button>')
  }
  const { run, fails, session } = await world(
    t,
    `<a href=/second target=_blank>Open</a><button onclick="setTimeout(()=>window.open('/second'),300)">Later</button>`,
    { environment: { stepTimeoutMs: 5000 } }, // a tab that was just opened may be slow to draw
  )
  await run({ ...click(named('Open')), arm: { tab: true } }, { verb: 'switch_tab' }, shows('Two'))
  await run(
    { verb: 'switch_tab', title: 'test' },
    shows('Open'),
    { verb: 'switch_tab', title: 'Second' },
    { verb: 'close_tab' },
    shows('Open'),
  )
  await run(
    click(named('Later')),
    { verb: 'switch_tab' },
    click(named('Bye')),
    { verb: 'wait_time', ms: 200 },
    shows('Open'),
  )
  t.match(session.page.url(), /\/page$/)
  t.match((await fails({ verb: 'switch_tab', options: { timeout_ms: 100 } })).message, /No new tab/)
  t.match((await fails({ verb: 'switch_tab', title: 'zzz', options: { timeout_ms: 100 } })).actual, /"Test"/)
  t.match((await fails({ verb: 'close_tab' })).message, /only tab/)
})

t.test('frames are switched into, nested too, and left by main page or navigation', async (t) => {
  pages['/inner'] =
    '<label>Card <input></label><button onclick="o.textContent=document.querySelector(\'input\').value">Pay</button><p id=o></p>'
  pages['/outer'] = '<iframe src=/inner name=deep></iframe><p>Middle</p>'
  const { run, fails } = await world(
    t,
    '<p>Top</p><iframe title="Payment form" src=/outer></iframe><button>Pay</button>',
  )
  await run({ verb: 'switch_frame', target: named('payment form') }, shows('Middle'), shows('Top', true))
  await run(
    { verb: 'switch_frame', target: named('deep') },
    { verb: 'fill', target: named('Card'), value: '42' },
    click(named('Pay')),
    has(css('#o'), '42'),
  )
  const failure = await fails({ ...click(named('Pai')), options: { timeout_ms: 600 } })
  t.equal(failure.candidates![0]!.locator, 'button "Pay"', 'the nearest are those of the frame')
  await run(
    { verb: 'switch_main' },
    shows('Top'),
    { verb: 'switch_frame', target: css('iframe') },
    { verb: 'reload' },
    shows('Top'),
  )
})

t.test('assertions poll until they hold, negated ones too, and say expected and actual', async (t) => {
  const { run, fails, events, session } = await world(
    t,
    `<h1>Shop</h1><p id=late></p><div id=gone>Loading</div><input aria-label=Name value=Ada><input aria-label=Empty><button class="big red" data-x=1 disabled>Buy</button>
     <ul><li>a</li><li>b</li><li style="display:none">c</li></ul><div role=alert style="text-transform:uppercase">Saved it</div><p hidden>Secret text</p><div id=void></div><p>Thank <b>you</b> all</p>
     <nav aria-label=Main><a href=/a>Home</a><a href=/b>About</a></nav><label for=h>Shown</label><select id=h><option>x</option></select><script>
     setTimeout(() => { late.textContent = 'Ready'; gone.remove(); document.title = 'Shop - done'; history.pushState(0, '', '/orders/7?x=1') }, 300)</script>`,
  )
  const is = (state: string, target: unknown, negated = false) =>
    ({ verb: 'assert', negated, subject: 'state', target, state }) as Loose
  const count = (compare: 'exactly' | 'at_least' | 'at_most', n: number, target = css('li')): Loose => ({
    verb: 'assert',
    negated: false,
    subject: 'count',
    target,
    compare,
    count: n,
  })
  await run(shows('Ready'), shows('Loading', true), {
    verb: 'assert',
    negated: false,
    subject: 'text',
    value: 'Loading',
    state: 'hidden',
  })
  await run(
    shows('thank you all'),
    shows('Secret text', true),
    is('hidden', named('Nothing there')),
    is('visible', role('alert', 'saved it')),
    is('visible', role('alert')),
  )
  await run(
    is('visible', named('Buy')),
    is('disabled', named('Buy')),
    is('enabled', named('Buy'), true),
    is('enabled', named('Name')),
    is('empty', named('Empty')),
    is('empty', css('#void')),
  )
  await run(
    is('empty', named('Name'), true),
    { verb: 'focus', target: named('Name') },
    is('focused', named('Name')),
    is('focused', named('Empty'), true),
  )
  await run(
    count('exactly', 2),
    count('at_least', 1),
    count('at_most', 2),
    count('exactly', 0, css('video')),
    count('exactly', 1, css('option')),
  )
  await run(has(named('Name'), 'Ada', 'value'), {
    verb: 'assert',
    negated: false,
    subject: 'content',
    target: css('ul'),
    what: 'text',
    match: 'contains',
    value: 'b',
  })
  await run(has(role('alert') as never, 'Saved it'), {
    verb: 'assert',
    negated: true,
    subject: 'content',
    target: css('h1'),
    what: 'text',
    match: 'is',
    value: 'Sho',
  })
  await run({
    verb: 'assert',
    negated: false,
    subject: 'attribute',
    target: named('Buy'),
    attribute: 'data-x',
    value: '1',
  })
  await run(
    { verb: 'assert', negated: false, subject: 'class', target: named('Buy'), value: 'red' },
    { verb: 'assert', negated: true, subject: 'class', target: named('Buy'), value: 're' },
  )
  await run(
    { verb: 'assert', negated: false, subject: 'url', match: 'matches', value: '/orders/*' },
    { verb: 'assert', negated: false, subject: 'url', match: 'is', value: '/orders/7?x=1' },
  )
  await run(
    { verb: 'assert', negated: true, subject: 'url', match: 'is', value: '/orders/7' },
    { verb: 'assert', negated: false, subject: 'url', match: 'contains', value: 'orders' },
  )
  await run(
    { verb: 'assert', negated: false, subject: 'title', match: 'is', value: 'Shop - done' },
    { verb: 'assert', negated: false, subject: 'page_status', status: 200 },
  )
  await run({
    verb: 'assert',
    negated: false,
    subject: 'value',
    left: [{ ref: 'env.REGION' }],
    match: 'is',
    right: 'eu',
  })
  const aria = (snapshot: string, negated = false): Loose => ({
    verb: 'assert',
    negated,
    subject: 'aria',
    target: css('body'),
    snapshot,
  })
  await run(
    aria('- heading "Shop" [level=1]\n- navigation "Main":\n  - link "About":\n    - /url: /b'),
    aria('- button "Buy" [disabled]'),
    aria('- navigation:\n  - link "About"\n  - link "Home"', true),
  )
  await run(
    aria('- list:\n  - listitem: a\n  - listitem: b'),
    aria('- navigation:\n  - /children: equal\n  - link "Home"', true),
  )
  t.match((await fails(aria('- link /Ab.*/'))).message, /regular expressions are not supported/)
  for (const [bad, expected, actual] of [
    [has(css('h1'), 'Shops'), '`h1` has the text "Shops"', '"Shop"'],
    [count('exactly', 3), 'exactly 3 `li`', '2'],
    [is('visible', named('Buy'), true), 'not: "Buy" is visible', 'visible'],
    [shows('Nowhere to be seen'), 'the text "Nowhere to be seen" is visible', 'not visible'],
    [{ verb: 'assert', negated: false, subject: 'page_status', status: 404 }, 'the page status is 404', '200'],
    [{ verb: 'assert', negated: false, subject: 'url', match: 'is', value: '/x' }, 'the URL is /x', '/orders/7?x=1'],
  ] as [Loose, string, string][]) {
    const failure = await fails({ ...bad, options: { timeout_ms: 120 } })
    t.same([failure.kind, failure.expected, failure.actual], ['assertion', expected, actual])
  }
  t.match((await fails(is('checked', css('h1')))).message, /nothing that can be checked/)
  const several = await fails({ ...is('visible', css('li')), options: { timeout_ms: 100 } })
  t.match([several.kind, several.message], ['assertion', /2 elements match `li`/])
  const vacuous = await fails({ ...is('checked', named('Not here'), true), options: { timeout_ms: 100 } })
  t.match(
    [vacuous.kind, vacuous.message],
    ['assertion', /matches "Not here"/],
    'of what is not there nothing else holds, also negated',
  )
  t.match(
    events.find((one) => one.kind === 'assertion' && !one.passed),
    { expected: '`h1` has the text "Shops"', actual: '"Shop"' },
  )
  const started = performance.now()
  await run(shows('Not there', true))
  t.ok(performance.now() - started < 500, 'a negated assertion passes as soon as it holds')
  await run(
    { verb: 'remember', as: 'title', from: { what: 'text', target: css('h1') } },
    { verb: 'remember', as: 'who', from: { what: 'value', target: named('Name') } },
  )
  t.same({ ...session.remembered }, { title: 'Shop', who: 'Ada' })
})

t.test('waits for targets, text, url and counts', async (t) => {
  const { run, fails } = await world(
    t,
    `<button id=b disabled>Go</button><div id=spin>Spin</div><ul id=l></ul><script>setTimeout(() => { b.disabled = false; spin.style.display = 'none'; l.innerHTML = '<li>1<li>2<li>3'; history.pushState(0,'','/done') }, 300)</script>`,
  )
  await run(
    { verb: 'wait_target', target: named('Go'), state: 'enabled' },
    { verb: 'wait_target', target: named('Spin'), state: 'hidden' },
  )
  await run(
    { verb: 'wait_target', target: css('li'), state: 'visible', count: 3 },
    { verb: 'wait_text', value: '2', state: 'visible' },
    { verb: 'wait_url', match: 'matches', pattern: '/done' },
  )
  const failure = await fails({
    verb: 'wait_target',
    target: css('li'),
    state: 'visible',
    count: 4,
    options: { timeout_ms: 150 },
  })
  t.match([failure.kind, failure.expected, failure.actual], ['action', '4 `li`', '3'])
  const missing = await fails({
    verb: 'wait_target',
    target: named('Goo'),
    state: 'visible',
    options: { timeout_ms: 150 },
  })
  t.match(missing.message, /for "Goo" to be visible, but it is not visible/)
  t.match((await fails({ verb: 'wait_webhook', kind: 'stripe', event: 'x.y' })).kind, 'environment')
})

t.test('faults, responses, latency and the network are the run’s own', async (t) => {
  pages['/api/items'] = (_, response) => void response.writeHead(200).end('real')
  const html = `<button onclick="fetch('/api/items',{method:'POST'}).then(async r=>out.textContent=r.status+' '+await r.text()).catch(()=>out.textContent='no network')">Post</button>
    <button onclick="fetch('/api/items').then(async r=>out.textContent=r.status+' '+await r.text())">Get</button><p id=out></p>`
  const { run, session } = await world(t, html, {
    settings: { assertions: { no_console_errors: true, no_failed_requests: true, no_unhandled_rejections: true } },
  })
  await run({ verb: 'inject_error', status: 503, times: 1, method: 'POST', pattern: '/api/items' })
  await run(
    click(named('Get')),
    has(css('#out'), '200 real'),
    click(named('Post')),
    has(css('#out'), '503 {"error":"injected 503"}'),
    click(named('Post')),
    has(css('#out'), '200 real'),
  )
  await run(
    { verb: 'respond', status: 200, body: '[1]', content_type: 'application/json', method: 'GET', pattern: '/api/*' },
    click(named('Get')),
    has(css('#out'), '200 [1]'),
  )
  await run(
    { verb: 'inject_latency', ms: 400, times: 1, method: 'POST', pattern: '/api/items' },
    { verb: 'request', method: 'GET', url: '/api/items' },
  )
  const started = performance.now()
  await run(click(named('Post')), { verb: 'wait_response', method: 'POST', pattern: '/api/items' })
  t.ok(performance.now() - started >= 390)
  await run(
    { verb: 'offline' },
    click(named('Post')),
    has(css('#out'), 'no network'),
    { verb: 'online' },
    click(named('Post')),
    has(css('#out'), '200 real'),
  )
  await session.finish()
})

t.test('cookies, headers, storage, place, colours, permissions and clock', async (t) => {
  pages['/where'] = (request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' })
    response.end(`<p id=c>${request.headers.cookie}</p><p id=h>${request.headers['x-a']}</p><p id=l></p><p id=g></p><p id=s></p><p id=t></p><p id=p></p><script>
      l.textContent = localStorage.getItem('k'); localStorage.setItem('k', 'changed')
      navigator.geolocation.getCurrentPosition(p => g.textContent = p.coords.latitude + ',' + p.coords.longitude)
      s.textContent = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
      navigator.permissions.query({name:'clipboard-read'}).then(r => p.textContent = r.state)
      t.textContent = new Date().toISOString().slice(0, 10); setTimeout(() => t.textContent = 'fired ' + new Date().toISOString().slice(0, 10), 86400000)</script>`)
  }
  const moved: unknown[] = []
  const { run, fails } = await world(t, '', {
    settings: { uses_clock: true },
    environment: { moveCloneClock: async (change) => void moved.push(change) },
  })
  await run(
    { verb: 'set_cookie', key: 'a', value: 'b' },
    { verb: 'set_header', key: 'X-A', value: 'yes' },
    { verb: 'set_local_storage', key: 'k', value: [{ ref: 'run.id' }] },
  )
  await run(
    { verb: 'set_geolocation', latitude: 52.5, longitude: 13.4 },
    { verb: 'set_color_scheme', scheme: 'dark' },
    { verb: 'allow', permission: 'clipboard-read' },
  )
  await run({ verb: 'set_clock', at: '2026-01-31T10:00:00Z' }, { verb: 'navigate', to: '/where' })
  await run(
    has(css('#c'), 'a=b'),
    has(css('#h'), 'yes'),
    has(css('#l'), 'r1'),
    has(css('#g'), '52.5,13.4'),
    has(css('#s'), 'dark'),
    has(css('#t'), '2026-01-31'),
    has(css('#p'), 'granted'),
  )
  await run({ verb: 'advance_clock', ms: 2 * 86_400_000 }, has(css('#t'), 'fired 2026-02-02'))
  await run(
    { verb: 'reload' },
    has(css('#l'), 'changed'),
    { verb: 'set_local_storage', key: 'k', value: 'again' },
    { verb: 'reload' },
    has(css('#l'), 'again'),
  )
  t.same(moved, [{ toMs: Date.parse('2026-01-31T10:00:00Z') }, { byMs: 172_800_000 }])
  t.match((await fails({ verb: 'allow', permission: 'world-peace' })).message, /cannot be allowed/)
})

t.test('navigation: history, statuses, and environment trouble in plain words', async (t) => {
  pages['/missing'] = (_, response) => void response.writeHead(404, { 'content-type': 'text/html' }).end('<p>gone</p>')
  pages['/hangs'] = (_, response) =>
    void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>here</p><img src=/never>')
  const { run, fails } = await world(t, '<p>one</p><a href=/missing>Gone</a>')
  await run(click(named('Gone')), shows('gone'), {
    verb: 'assert',
    negated: false,
    subject: 'page_status',
    status: 404,
  })
  await run({ verb: 'back' }, shows('one'), { verb: 'forward' }, shows('gone'))
  t.match((await fails({ verb: 'forward' })).message, /no page to go forward/)
  const started = performance.now()
  await run({ verb: 'navigate', to: '/hangs' }, shows('here'))
  t.ok(performance.now() - started < 2600, 'a page that never settles does not hang')
  const refused = await fails({ verb: 'navigate', to: 'http://127.0.0.1:9/' }).catch((error) => error)
  t.equal(refused.kind, 'environment')
  const spare = createServer()
  await new Promise<void>((resolve) => spare.listen(0, '127.0.0.1', resolve))
  const free = (spare.address() as AddressInfo).port
  await new Promise((resolve) => spare.close(resolve))
  t.match(await fails({ verb: 'navigate', to: `http://127.0.0.1:${free}/` }), {
    kind: 'environment',
    message: /connection refused/,
  })
  t.match(await fails({ verb: 'navigate', to: 'http://no-such-host.invalid/' }), {
    kind: 'environment',
    message: /name cannot be resolved/,
  })
  t.match(await fails({ verb: 'navigate', to: '/never', options: { timeout_ms: 300 } }), {
    kind: 'environment',
    message: /did not answer within 300 ms/,
  })
  t.match(await fails({ verb: 'navigate', to: 'file:///etc/passwd' }), {
    kind: 'action',
    message: /only http and https/,
  })
  t.match(await fails({ verb: 'navigate', to: [{ ref: 'secrets.NONE' }] }), {
    kind: 'environment',
    message: /\$\{secrets\.NONE\} has no value/,
  })
})

t.test('who is still signing in is let in before the next page is opened', async (t) => {
  pages['/enter'] = (_, response) =>
    void setTimeout(() => response.writeHead(303, { location: '/inside', 'set-cookie': 'sid=9' }).end(), 300)
  pages['/inside'] = '<p>inside</p>'
  pages['/who'] = (request, response) =>
    void response.writeHead(200, { 'content-type': 'text/html' }).end(`<p>${request.headers.cookie}</p>`)
  const { run } = await world(t, '<form method=post action=/enter><button>Sign in</button></form>')
  await run(click(named('Sign in')), { verb: 'navigate', to: '/who' }, shows('sid=9'))
})

t.test(
  'run-wide assertions and Assert no console errors see errors, exceptions, rejections and failed requests',
  async (t) => {
    const all = { assertions: { no_console_errors: true } }
    const { run, fails, session } = await world(t, `<button onclick="console.error('bad thing')">Log</button>`, {
      settings: all,
    })
    await run(
      { verb: 'assert', negated: false, subject: 'no_console_errors' },
      { verb: 'assert', negated: false, subject: 'no_failed_requests' },
    )
    await session.finish()
    await run(click(named('Log')))
    t.match(
      await fails({ verb: 'assert', negated: false, subject: 'no_console_errors', options: { timeout_ms: 100 } }),
      { kind: 'assertion', actual: '1: bad thing' },
    )
    t.match(await session.finish().catch((error) => error), { kind: 'assertion', actual: 'bad thing' })
    const other = await world(t, `<script>Promise.reject(new Error('lost'));fetch('/nope')</script>`, {
      settings: { assertions: { no_unhandled_rejections: true } },
    })
    t.match(
      await other.fails({
        verb: 'assert',
        negated: false,
        subject: 'no_failed_requests',
        options: { timeout_ms: 300 },
      }),
      { actual: /GET .*\/nope → 404/ },
    )
    t.match(await other.session.finish().catch((error) => error), { actual: 'lost' })
  },
)

t.test('a secret’s value is in no failure and no event, and its field is told to the host', async (t) => {
  const { run, fails, events } = await world(
    t,
    `<label>Password <input id=p></label><p id=shown></p><script>p.oninput = () => shown.textContent = p.value</script>`,
  )
  await run({ verb: 'fill', target: named('Password'), value: [{ ref: 'secrets.PASSWORD' }] })
  const failures = [
    await fails({ ...has(css('#shown'), 'other'), options: { timeout_ms: 100 } }),
    await fails({
      verb: 'assert',
      negated: false,
      subject: 'text',
      value: ['x', { ref: 'secrets.PASSWORD' }],
      state: 'visible',
      options: { timeout_ms: 100 },
    }),
    await fails({ verb: 'request', method: 'GET', url: ['/x?p=', { ref: 'secrets.PASSWORD' }], expects: 200 }),
    await fails({
      verb: 'click',
      target: { by: 'role', role: 'button', name: [{ ref: 'secrets.PASSWORD' }] },
      button: 'left',
      count: 1,
      options: { timeout_ms: 100 },
    }),
  ]
  for (const failure of failures) {
    const { message, expected, actual, hint, candidates, stack } = failure
    const everything = JSON.stringify([message, expected, actual, hint, candidates, stack])
    t.notMatch(everything, 'hunter2')
    t.match(everything, 'secrets.PASSWORD')
  }
  await run(
    { verb: 'snapshot', label: 'now' },
    { verb: 'screenshot', label: 'pic', full_page: true },
    { verb: 'debug' },
  )
  t.notMatch(
    JSON.stringify(events.map(({ kind, ...rest }) => ('locator' in rest || 'png' in rest ? kind : rest))),
    'hunter2',
  )
  t.match(
    events.find((one) => one.kind === 'secret_filled'),
    { secrets: ['PASSWORD'] },
  )
  t.ok(events.some((one) => one.kind === 'screenshot' && one.png.length > 100))
  t.ok(events.some((one) => one.kind === 'snapshot' && one.aria.includes('Password')))
})

t.test('a page whose script never ends fails the step and does not hang the run', async (t) => {
  // A request that the page waits for without letting go: as dead as an endless loop, and it costs no processor.
  const freeze = "const asked = new XMLHttpRequest(); asked.open('GET', '/never', false); asked.send()"
  const { fails } = await world(t, `<button onclick="${freeze}">Freeze</button><p>x</p>`)
  const started = performance.now()
  await fails({ ...click(named('Freeze')), options: { timeout_ms: 500 } })
  const failure = await fails({ ...shows('x'), options: { timeout_ms: 300 } })
  t.equal(failure.kind, 'action')
  t.ok(performance.now() - started < 8000)
})

t.test('clone questions and webhooks go to the host’s hooks', async (t) => {
  const asked: unknown[] = []
  const { run, fails } = await world(t, '<p>x</p>', {
    environment: {
      countInClone: async (question) => asked.push(question),
      waitForWebhook: async ({ event }) => {
        if (event !== 'a.b') throw new Error('nothing came')
      },
    },
  })
  const clone: Loose = {
    verb: 'assert',
    negated: false,
    subject: 'clone',
    kind: 'stripe',
    state: 'active',
    noun: 'subscription',
    count: 2,
    for: [{ ref: 'run.user.id' }],
  }
  await run(clone, { verb: 'wait_webhook', kind: 'stripe', event: 'a.b' })
  t.same(asked.at(-1), { kind: 'stripe', state: 'active', noun: 'subscription', for: 'u1' })
  t.match(await fails({ verb: 'wait_webhook', kind: 'stripe', event: 'c.d' }), {
    kind: 'action',
    message: /nothing came/,
  })
  const without = await world(t, '<p>x</p>')
  t.match(await without.fails(clone), { kind: 'environment', message: /has no clones/ })
})
