import type { EventEmitter } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, extname, join } from 'node:path'
import { brotliDecompressSync, deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib'
import fc from 'fast-check'
import { strToU8, unzipSync, zipSync } from 'fflate'
import t from 'tap'
import { chromium } from '../../src/worker/browser/playwright.ts'
import { recordDownloads } from '../../src/worker/evidence/downloads.ts'
import type { EvidenceEvent } from '../../src/worker/evidence/event.ts'
import { recordEvidence } from '../../src/worker/evidence/record.ts'
import { makeRedactor } from '../../src/worker/evidence/redact.ts'
import { scrubTrace, scrubTraceZip } from '../../src/worker/evidence/scrub.ts'
import { launchOptions, sharedBrowser } from '../fixtures/browser.ts'

const scratch = mkdtempSync(join(tmpdir(), 'molar-evidence-'))
t.teardown(() => rmSync(scratch, { recursive: true, force: true }))
const browser = await sharedBrowser()
t.teardown(() => browser.close())

const secret = 's3cr3t"Pa&ss<w>é+x/y'
const typedPassword = 'typed-literal-pw!'
const cookie = 'cookie-value-4711'

/** Every way in which a value could still stand in bytes. */
function traces(value: string, bytes: Buffer): string[] {
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), Buffer.from(value)])
      .toString('base64')
      .slice([0, 2, 3][shift], Math.floor(((shift + Buffer.byteLength(value)) * 8) / 6)),
  )
  const json = JSON.stringify(value).slice(1, -1)
  const forms = [
    value,
    encodeURIComponent(value),
    new URLSearchParams({ x: value }).toString().slice(2),
    json,
    JSON.stringify(json).slice(1, -1),
    value.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;'),
    ...base64,
  ]
  return forms.filter((form) => bytes.includes(Buffer.from(form)))
}

/** All of an archive's bytes: as they are, and unpacked again wherever something in it is packed. */
function everything(zip: Buffer): Buffer {
  const parts: Buffer[] = [zip]
  for (const [name, bytes] of Object.entries(unzipSync(zip))) {
    parts.push(Buffer.from(name), Buffer.from(bytes))
    for (const unpack of [
      gunzipSync,
      inflateSync,
      brotliDecompressSync,
      (inner: Uint8Array) => everything(Buffer.from(inner)),
    ]) {
      try {
        if (bytes.length > 0) parts.push(Buffer.from(unpack(bytes)))
      } catch {}
    }
  }
  return Buffer.concat(parts)
}

t.test('a secret is found in every form it is written in, in text, bytes and JSON', async (t) => {
  const redact = makeRedactor({ API_KEY: secret, SHORT: 'abc' })
  const forms = {
    plain: secret,
    url: `https://x.example/?k=${encodeURIComponent(secret)}&z=1`,
    form: new URLSearchParams({ k: secret }).toString(),
    json: JSON.stringify({ k: secret }),
    'JSON in JSON': JSON.stringify({ body: JSON.stringify({ k: secret }) }),
    html: secret.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;'),
    'basic authorization': Buffer.from(`ada:${secret}`).toString('base64'),
    base64: Buffer.from(`x${secret}y`).toString('base64'),
    base64url: Buffer.from(secret).toString('base64url'),
    hex: Buffer.from(secret).toString('hex'),
  }
  for (const [form, text] of Object.entries(forms)) {
    t.strictSame(traces(secret, Buffer.from(redact.text(text))), [], form)
    t.match(redact.text(text), /\[secret:API_KEY\]/, form)
    t.strictSame(
      traces(secret, redact.bytes(Buffer.concat([Buffer.from([0xff, 0x00]), Buffer.from(text)]))),
      [],
      `${form} in bytes`,
    )
  }
  const untouched = Buffer.from([0, 255, 254, 1, 2, 3])
  t.equal(redact.bytes(untouched), untouched, 'bytes without a secret are the same buffer')
  t.equal(redact.text('abc'), 'abc', 'three characters are no secret')
  t.strictSame(
    redact.json({
      a: [secret],
      headers: [{ name: 'Cookie', value: 'sid=1' }],
      authorization: 'x y',
      n: 1,
      [secret]: null,
    }),
    {
      a: ['[secret:API_KEY]'],
      headers: [{ name: 'Cookie', value: '[redacted]' }],
      authorization: '[redacted]',
      n: 1,
      '[secret:API_KEY]': null,
    },
  )
})

t.test('no text, whatever stands around a secret, keeps it', async () => {
  const value = fc.string({ unit: 'grapheme', minLength: 8, maxLength: 24 })
  fc.assert(
    fc.property(value, fc.string({ unit: 'grapheme' }), fc.string(), (known, before, after) => {
      const redact = makeRedactor({ KNOWN: known, ALSO: `${known}tail` })
      for (const text of [
        `${before}${known}${after}`,
        JSON.stringify({ [before]: known, after }),
        encodeURIComponent(`${known}`),
      ]) {
        const clean = redact.text(text)
        if (clean.replaceAll('[secret:KNOWN]', '').replaceAll('[secret:ALSO]', '').includes(known)) return false
      }
      return !redact.text(`${known}tail`).includes('tail') || known.includes('tail') || '[secret:ALSO]'.includes('tail')
    }),
    { numRuns: 300 },
  )
})

t.test('what looks like a credential is redacted though nobody declared it', async (t) => {
  const redact = makeRedactor({})
  const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.abcDEF_123-x'
  const key = `molar_sk_${'a1B2'.repeat(11)}`
  for (const text of [
    key,
    `molar_pat_${'x9'.repeat(20)}`,
    jwt,
    'AKIAIOSFODNN7EXAMPLE',
    `ghp_${'a1'.repeat(18)}`,
    'sk_live_51Habcdefghijklmnop',
    `Bearer ${'t0ken'.repeat(5)}`,
  ]) {
    t.notMatch(redact.text(`before ${text} after`), text.replace(/^Bearer /, ''), text)
    t.match(redact.text(`before ${text} after`), /^before .*\[redacted\] after$/, text)
  }
  t.equal(redact.text('Authorization: Basic YTpi\r\nHost: x'), 'Authorization: [redacted]\r\nHost: x', 'header lines')
  t.strictSame(
    JSON.parse(redact.text(JSON.stringify({ password: 'a"b', x: JSON.stringify({ access_token: 'q"q' }) }))).password,
    '[redacted]',
  )
  t.notMatch(redact.text(JSON.stringify({ x: JSON.stringify({ access_token: 'opaque' }) })), /opaque/)
  t.equal(
    redact.text('the bearer token is required; molar_search_tools'),
    'the bearer token is required; molar_search_tools',
  )
})

t.test('five megabytes are redacted in well under a second, hostile ones too', async (t) => {
  const redact = makeRedactor(
    Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`S${index}`, `${secret}${index}`])),
  )
  const size = 5 * 2 ** 20
  for (const unit of [
    'lorem ipsum {"name":"a","value":"b"} ',
    '\\',
    '\\"',
    ' eyJ',
    'eyJ-',
    'sk-a-',
    '"password":"',
    '\\"password\\":\\"',
    '-----BEGIN PRIVATE KEY-----',
    'x',
    'Bearer ',
    'cookie: ',
    's3cr3t"Pa&ss<w>',
  ]) {
    const text = unit.repeat(size / unit.length)
    const started = process.cpuUsage() // what else the machine does is not counted
    redact.text(text)
    const { user, system } = process.cpuUsage(started)
    t.ok(user + system < 1e6, `${unit}: ${Math.round((user + system) / 1000)} ms`)
  }
})

t.test('one endless value, word or line is redacted without exhausting the engine', async (t) => {
  const redact = makeRedactor({ KEY: secret })
  const long = 'x'.repeat(10 * 2 ** 20)
  for (const start of [
    '"password":"',
    '\\"password\\":\\"',
    'Cookie: ',
    '?access_token=',
    'Bearer ',
    'eyJ',
    'sk-',
    'molar_sk_',
    '{"name":"Cookie","value":"',
    '-----BEGIN PRIVATE KEY-----',
  ]) {
    t.equal(redact.text(start + long + secret).slice(-12), '[secret:KEY]', start)
  }
})

/** A page that leaks on every road it has. */
function leakyApp(request: IncomingMessage, response: ServerResponse): void {
  let body = ''
  request.on('data', (chunk) => {
    body += chunk
  })
  request.on('end', () => {
    const path = request.url!.split('?')[0]!
    const answers: Record<string, [number, string, string | Buffer]> = {
      '/api/fail': [500, 'application/json', JSON.stringify({ error: 'bad', echo: body })],
      '/api/gzip': [200, 'application/gzip', gzipSync(`in gzip ${secret}`)],
      '/api/zlib': [200, 'application/octet-stream', deflateSync(`in zlib ${secret} ${'x'.repeat(50)}`)],
      '/api/zip': [200, 'application/zip', Buffer.from(zipSync({ 'a.txt': strToU8(`in zip ${secret}`) }))],
      '/ok.png': [200, 'image/png', Buffer.alloc(10)],
      '/': [200, 'text/html; charset=utf-8', page],
      '/frame': [200, 'text/html', 'inner'],
    }
    const [status, type, content] = answers[path] ?? [404, 'text/plain', 'nothing']
    response.writeHead(status, { 'content-type': type, 'set-cookie': `sid=${cookie}` }).end(content)
  })
}

const page = `<title>leaky</title><label>User <input id=u></label><label>Password <input id=p type=password></label>
<label>Key <input id=k></label><button onclick="go()">Go</button><p id=o></p><img src=/ok.png><img src=/missing.png><iframe src=/frame></iframe><script>
async function go() {
  console.log('key is ' + k.value); console.warn('a warning'); console.error('password is ' + p.value)
  await fetch('/api/fail?b=' + btoa('u:' + p.value), { method: 'POST', headers: { 'content-type': 'application/json', authorization: 'Bearer ' + k.value.replace('é', 'e') }, body: JSON.stringify({ p: p.value, k: k.value }) })
  await fetch('/api/gzip?key=' + encodeURIComponent(k.value)); await fetch('/api/zlib'); await fetch('/api/zip')
  o.textContent = 'done ' + k.value; localStorage.key = k.value; o.title = p.value
  Promise.reject(new Error('rejected ' + k.value)); setTimeout(() => { throw new Error('thrown ' + p.value) })
  await fetch('http://127.0.0.1:1/refused').catch(() => {})
  alert('alert ' + k.value); document.title = 'finished'
}
</script>`

t.test(
  'a run on a leaky page: the events tell what happened, and neither they, the picture nor the trace hold a secret',
  async (t) => {
    const server = createServer(leakyApp)
    const origin = await new Promise<string>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)),
    )
    const context = await browser.newContext()
    t.teardown(async () => {
      await context.close()
      server.close()
    })
    const events: EvidenceEvent[] = []
    const redact = makeRedactor({ KEY: secret })
    const evidence = await recordEvidence(context, {
      emit: (event) => events.push(event),
      redact,
      pictures: true,
      trace: true,
      browserUid: browser.uid,
    })
    const tab = await context.newPage()
    await evidence.currentStep('open', '1. Open the page')
    await tab.goto(origin)
    await evidence.currentStep('fill', '2. Fill the form')
    await tab.fill('#u', 'ada')
    await evidence.maskFilled(tab.locator('#p'), { value: typedPassword, secret: false })
    await tab.fill('#p', typedPassword)
    await evidence.maskFilled(tab.locator('#k'), { secret: true })
    const before = await evidence.picture(tab)
    await tab.fill('#k', secret)
    t.equal(await tab.locator('#k').inputValue(), secret, 'the masked field holds what was typed')
    t.equal(
      await tab.locator('#k').evaluate((field) => getComputedStyle(field).getPropertyValue('-webkit-text-security')),
      'disc',
    )
    const after = await evidence.picture(tab)
    t.same(after?.subarray(0, 3), Buffer.from([0xff, 0xd8, 0xff]), 'the picture is a JPEG')
    t.ok(before && after && after.length > 1000)
    await evidence.currentStep('go', '3. Go')
    await tab.click('button')
    await tab.waitForFunction(() => document.title === 'finished')
    await evidence.currentStep(null)
    const { trace, dropped } = await evidence.stop()
    t.equal(dropped, 0)

    const of = <Kind extends EvidenceEvent['kind']>(kind: Kind) =>
      events.filter((event): event is Extract<EvidenceEvent, { kind: Kind }> => event.kind === kind)
    const all = Buffer.from(events.map((event) => JSON.stringify(event)).join('\n'))
    for (const value of [secret, typedPassword, cookie]) t.strictSame(traces(value, all), [], 'no secret in the events')
    t.match(of('navigation'), [{ page: 'p1', step_id: 'open', url: `${origin}/` }])
    t.match(of('console.log'), [{ text: 'key is [secret:KEY]', step_id: 'go', page: 'p1', line: 4 }])
    t.match(of('console.warn'), [{ text: 'a warning' }])
    t.strictSame(
      of('console.error')
        .filter(({ unhandled }) => unhandled)
        .map(({ text }) => text)
        .sort(),
      ['rejected [secret:KEY]', 'thrown [secret:password]'],
    )
    t.match(of('log'), [{ dialog: 'alert', message: 'alert: alert [secret:KEY]' }])
    const failed = of('network.response').find(({ url }) => url.includes('/api/fail'))!
    t.match(failed, {
      status: 500,
      method: 'POST',
      resource_type: 'fetch',
      content_type: 'application/json',
      request_content_type: 'application/json',
      step_id: 'go',
      body: /"error":"bad".*\[secret:KEY\]/,
    })
    t.ok(failed.duration_ms! >= 0)
    t.equal(
      of('network.request').find(({ request_id }) => request_id === failed.request_id)?.url,
      failed.url,
      'request and response are joined',
    )
    t.match(
      of('network.response').find(({ url }) => url.endsWith('/refused')),
      { failure: /net::ERR/, status: undefined },
    )
    t.notOk(
      events.some((event) => 'url' in event && event.kind.startsWith('network') && event.url?.endsWith('/ok.png')),
      'an image that loads is not told of',
    )
    t.match(
      of('network.response').find(({ url }) => url.endsWith('/missing.png')),
      { status: 404 },
      'one that fails is',
    )

    const dirty = Buffer.from(zipSync(trace!))
    t.not(traces(secret, everything(dirty)).length, 0, 'the raw trace does hold the secret')
    const { zip: clean } = await scrubTrace(trace!, redact)
    const bytes = everything(clean)
    for (const value of [secret, typedPassword, cookie])
      t.strictSame(traces(value, bytes), [], 'no secret in any byte of the scrubbed trace')
    t.notOk(bytes.includes(dirname(import.meta.url)), 'no path of the worker')
    const names = Object.keys(unzipSync(clean))
    for (const name of names.filter((entry) => /\.(?:trace|network|stacks)$/.test(entry))) {
      for (const line of Buffer.from(unzipSync(clean)[name]!).toString().split('\n').filter(Boolean))
        t.doesNotThrow(() => JSON.parse(line), name)
    }
    const text = names
      .filter((name) => /\.(?:trace|network)$/.test(name))
      .map((name) => Buffer.from(unzipSync(clean)[name]!).toString())
      .join()
    for (const [, sha1] of text.matchAll(/"_?sha1":"([^"]+)"/g))
      t.ok(names.includes(`resources/${sha1}`), 'every resource that the trace names is there')
    writeFileSync(join(scratch, 'clean.zip'), clean)
  },
)

t.test('Playwright’s own viewer opens the scrubbed trace and shows its steps', async (t) => {
  const root = join(dirname(new URL(import.meta.resolve('playwright-core')).pathname), 'lib/vite/traceViewer')
  const types: Record<string, string> = {
    '.html': 'text/html',
    '.js': 'text/javascript',
    '.css': 'text/css',
    '.zip': 'application/zip',
    '.svg': 'image/svg+xml',
    '.json': 'application/json',
  }
  const server = createServer((request, response) => {
    const path = new URL(request.url!, 'http://x').pathname
    try {
      const file = readFileSync(path === '/clean.zip' ? join(scratch, 'clean.zip') : join(root, path))
      response.writeHead(200, { 'content-type': types[extname(path)] ?? 'application/octet-stream' }).end(file)
    } catch {
      response.writeHead(404).end()
    }
  })
  const origin = await new Promise<string>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)),
  )
  const context = await browser.newContext()
  t.teardown(async () => {
    await context.close()
    server.close()
    server.closeAllConnections()
  })
  const tab = await context.newPage()
  await tab.goto(`${origin}/index.html?trace=${origin}/clean.zip`)
  await tab.getByText('2. Fill the form').first().click({ timeout: 20_000 })
  for (const step of ['1. Open the page', '3. Go']) t.ok(await tab.getByText(step).first().isVisible(), step)
  await tab.getByText('3. Go').first().click()
  const snapshot = tab.frameLocator('iframe[name=snapshot]').first()
  t.equal(await snapshot.locator('#u').inputValue({ timeout: 10_000 }), 'ada', 'and its pages')
  t.equal(await snapshot.locator('#k').inputValue(), '[secret:KEY]')
})

t.test('a browser that was taken over cannot have other people’s files read as its downloads', async (t) => {
  const path = join(scratch, 'ours')
  writeFileSync(path, 'the key of this installation')
  symlinkSync(path, `${path}.link`)
  mkdirSync(`${path}.folder`)
  const own = statSync(path).uid
  const context = await browser.newContext()
  t.teardown(() => context.close())
  const page = await context.newPage()
  const downloaded = async (at: string, uid: number) => {
    const downloads = recordDownloads(context, uid)
    const said = { suggestedFilename: () => 'x', path: async () => at }
    void (page as unknown as EventEmitter).emit('download', said)
    const [file] = await downloads.settle()
    return file!.bytes?.toString() ?? file!.why
  }
  t.equal(await downloaded(path, own), 'the key of this installation', 'its own files are read')
  t.equal(await downloaded(path, own + 1), 'it did not arrive')
  t.equal(await downloaded(`${path}.link`, own), 'it did not arrive')
  t.equal(await downloaded(`${path}.folder`, own), 'it did not arrive')
})

t.test('a secret that is one of the trace’s own words takes nothing of the trace’s form', async (t) => {
  const lines = [
    { type: 'before', callId: 'c@1', class: 'Frame', method: 'fill', params: { selector: '#p', value: 'password' } },
    { type: 'log', callId: 'c@1', message: 'locator resolved to <input id="p" type="password"/>' },
    {
      type: 'frame-snapshot',
      snapshot: {
        callId: 'c@1',
        html: ['HTML', {}, ['INPUT', { type: 'password', __playwright_value_: 'pw' }], [[1, 2]], 'fill'],
      },
    },
    { type: 'context-options', options: { storageState: { cookies: [] } } },
  ]
  const zip = zipSync({ 'trace.trace': strToU8(`${lines.map((line) => JSON.stringify(line)).join('\n')}\n{"cut o`) })
  const clean = await scrubTraceZip(zip, makeRedactor({ WORD: 'fill' }), { passwordValues: ['another-one'] })
  const [before, resolved, snapshot, options] = Buffer.from(unzipSync(clean)['trace.trace']!)
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.match(before, { type: 'before', method: 'fill', params: { value: '[secret:password_2]' } })
  t.match(resolved.type, 'log')
  t.strictSame(snapshot.snapshot.html, [
    'HTML',
    {},
    ['INPUT', { type: 'password', __playwright_value_: '••••' }],
    [[1, 2]],
    '[secret:WORD]',
  ])
  t.strictSame(options.options, {}, 'sign-in state is dropped')
})

t.test('a page that talks without end is cut off and says so; long texts are clipped', async (t) => {
  const context = await browser.newContext()
  t.teardown(() => context.close())
  const events: EvidenceEvent[] = []
  const evidence = await recordEvidence(context, {
    emit: (event) => events.push(event),
    redact: makeRedactor({ KEY: secret }),
    pictures: false,
    trace: false,
    maxEvents: 20,
  })
  const tab = await context.newPage()
  await tab.evaluate(
    `console.log('x'.repeat(2040) + ${JSON.stringify(secret)}); for (let count = 0; count < 100; count++) console.log('line ' + count)`,
  )
  t.equal(await evidence.picture(tab), undefined)
  await tab.waitForTimeout(100)
  const { dropped } = await evidence.stop()
  t.equal(events.length, 21)
  t.match(events.at(-1), { kind: 'log', level: 'warn', message: /More than 20/ })
  t.equal(dropped, 81)
  const long = events.find((event) => event.kind === 'console.log')!
  t.ok('text' in long && long.text.length <= 2048 && !long.text.includes('s3c'), 'no cut leaves half a secret')
})

t.test('a crashed page is told of, and pictures and the trace of a dead browser do not fail the run', async (t) => {
  const doomed = await chromium.launch(await launchOptions())
  const context = await doomed.newContext()
  const events: EvidenceEvent[] = []
  const evidence = await recordEvidence(context, {
    emit: (event) => events.push(event),
    redact: makeRedactor({}),
    pictures: true,
    trace: true,
    browserUid: browser.uid,
  })
  const tab = await context.newPage()
  await tab.goto('chrome://crash').catch(() => undefined)
  t.ok(events.some((event) => event.kind === 'log' && event.message === 'The page crashed.'))
  t.equal(await evidence.picture(tab), undefined)
  await doomed.close()
  t.equal((await evidence.stop()).trace, undefined)
  t.match(events.at(-1), { kind: 'log', message: /no Playwright trace/ })
})
