import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect, type Server } from 'node:net'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import type { Wires } from '../../../src/core/egress/connect.ts'
import { type Egress, type EgressRules, makeEgress, OutsideError } from '../../../src/core/egress/index.ts'
import { selfSigned } from '../../fixtures/self-signed.ts'

// Whatever address a user gives, what is not public is not reached.

/** What listens on this machine; it must never hear of a request that was refused. */
const heard: { url: string; method: string; headers: NodeJS.Dict<string | string[]>; body: string }[] = []
let connections = 0
const server = createServer((request, response) => {
  let body = ''
  request.on('data', (chunk) => (body += chunk))
  request.on('end', () => {
    const { pathname, searchParams } = new URL(request.url!, 'http://x')
    heard.push({ url: request.url!, method: request.method!, headers: request.headers, body })
    if (pathname === '/to')
      return response
        .writeHead(Number(searchParams.get('status') ?? 302), { location: searchParams.get('url')! })
        .end('x'.repeat(100))
    if (pathname === '/round') return response.writeHead(302, { location: '/round' }).end()
    if (pathname === '/endless') return void setInterval(() => response.write('x'.repeat(65_536)), 1).unref()
    if (pathname === '/silent') return
    if (pathname === '/stalling') return void response.write('x')
    if (pathname === '/bomb')
      return response.setHeader('content-encoding', 'gzip').end(gzipSync(Buffer.alloc(50 << 20)))
    if (pathname === '/broken') return response.setHeader('content-encoding', 'gzip').end('not gzip')
    if (pathname === '/odd') return response.setHeader('content-encoding', 'zstd').end('x')
    if (pathname === '/packed') return response.setHeader('content-encoding', 'gzip').end(gzipSync('unpacked'))
    if (pathname === '/nothing') return response.writeHead(204).end()
    if (pathname === '/cookie') return response.setHeader('set-cookie', ['a=1', 'b=2']).end()
    response.end('reached')
  })
}).on('connection', () => connections++)
const secure = createSecureServer(selfSigned, (_request, response) => response.end('reached'))
const port = await listen(server)
const securePort = await listen(secure)
t.teardown(() => {
  server.closeAllConnections()
  server.close()
  secure.close()
})

async function listen(one: Server): Promise<number> {
  await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve))
  return (one.address() as AddressInfo).port
}

/** A name server of the test's own: what each name leads to, one answer after another. */
function names(answers: Record<string, string[][]>): Wires['lookup'] {
  return async (host) => {
    const left = answers[host]
    if (!left) throw Object.assign(new Error(`ENOTFOUND ${host}`), { code: 'ENOTFOUND' })
    const found = left.length > 1 ? left.shift()! : left[0]!
    return found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  }
}

interface Options {
  rules?: Partial<EgressRules>
  lookup?: Wires['lookup']
  open?: Wires['open']
}
const egress = ({ rules, lookup, open }: Options = {}): Egress =>
  makeEgress(
    { reach: 'public', allow: [], ...rules },
    { lookup: lookup ?? names({ localhost: [['127.0.0.1']] }), open: open ?? ((options) => connect(options)) },
  )

/** Why it was not reached, and proof that nothing was heard. */
async function refusal(url: string, how: Egress = egress()): Promise<string> {
  const [before, beforeHeard] = [connections, heard.length]
  const outcome = await how.fetchOutside(url, { timeoutMs: 2000 }).then(
    (response) => `reached: ${response.status}`,
    (error) => (error instanceof OutsideError ? `${error.reason}: ${error.message}` : `thrown: ${error}`),
  )
  if (connections !== before || heard.length !== beforeHeard) return `${outcome}, and it was connected`
  return outcome
}

const hostile = [
  `http://127.0.0.1:${port}/`,
  `http://localhost:${port}/`,
  `http://LOCALHOST.:${port}/`,
  `http://127.1:${port}/`,
  `http://2130706433:${port}/`,
  `http://0x7f000001:${port}/`,
  `http://0x7f.0.0.1:${port}/`,
  `http://0177.0.0.1:${port}/`,
  `http://017700000001:${port}/`,
  `http://0:${port}/`,
  `http://0.0.0.0:${port}/`,
  `http://127.0.0.1.:${port}/`,
  `http://127.255.255.254:${port}/`,
  `http://１２７.0.0.1:${port}/`,
  `http://①②⑦.⓪.⓪.①:${port}/`,
  `http://127%2e0%2e0%2e1:${port}/`,
  `http://[::1]:${port}/`,
  `http://[::]:${port}/`,
  `http://[0:0:0:0:0:0:0:1]:${port}/`,
  `http://[::ffff:127.0.0.1]:${port}/`,
  `http://[::ffff:7f00:1]:${port}/`,
  `http://[::127.0.0.1]:${port}/`,
  `http://[::ffff:0:127.0.0.1]:${port}/`,
  `http://[64:ff9b::127.0.0.1]:${port}/`,
  `http://[64:ff9b:1::7f00:1]:${port}/`,
  `http://[2002:7f00:1::]:${port}/`,
  `http://[2001:0:7f00:1::]:${port}/`,
  'http://10.0.0.1/',
  'http://172.31.255.255/',
  'http://192.168.1.1/',
  'http://100.64.0.1/',
  'http://198.18.0.1/',
  'http://192.0.2.1/',
  'http://203.0.113.9/',
  'http://224.0.0.251/',
  'http://255.255.255.255/',
  'http://240.0.0.1/',
  'http://169.254.169.254/latest/meta-data/',
  'http://169.254.170.2/v2/credentials',
  'http://0xa9fea9fe/',
  'http://[::ffff:169.254.169.254]/',
  'http://100.100.100.200/',
  'http://168.63.129.16/',
  'http://[fd00:ec2::254]/',
  'http://[fc00::1]/',
  'http://[fe80::1]/',
  'http://[ff02::1]/',
  'http://[2001:db8::1]/',
  'http://[3fff::1]/',
  'http://[5f00::1]/',
  'http://8.8.8.8:22/',
  'http://8.8.8.8:25/',
  'https://user:password@8.8.8.8/',
  `http://8.8.8.8@127.0.0.1:${port}/`,
  'ftp://8.8.8.8/',
  'file:///etc/passwd',
  'gopher://8.8.8.8/',
  'data:text/plain,x',
  'javascript:1',
]

t.test(`none of ${hostile.length} hostile URLs is reached, nor connected to`, async (t) => {
  for (const url of hostile) t.match(await refusal(url), /^refused: /, url)
  for (const url of ['', 'http://', 'http://[::1', 'http://a b/', '//x', 'http://127.0.0.1:99999/'])
    t.match(await refusal(url), /^malformed: /, url)
  t.equal(connections, 0)
})

t.test('a name is refused when any of its addresses is not public, and its network is not told', async (t) => {
  const lookup = names({
    'inside.test': [['10.1.2.3']],
    'mixed.test': [['8.8.8.8', '127.0.0.1']],
    'six.test': [['2606:4700::1111', '::ffff:10.0.0.1']],
    'metadata.test': [['169.254.169.254']],
  })
  for (const name of ['inside', 'mixed', 'six', 'metadata']) {
    const said = await refusal(`http://${name}.test:${port}/`, egress({ lookup }))
    t.match(said, /^refused: \w+\.test leads to an? /)
    t.match(said, new RegExp(`MOLAR_EGRESS_ALLOW=${name}.test`), 'what allows it')
    t.notMatch(said, /\d\.\d/, 'but not where it leads')
  }
  t.match(await refusal('http://nowhere.test/', egress({ lookup })), /^unreachable: The name nowhere.test cannot/)
  await t.rejects(egress({ lookup }).check('http://inside.test/'), { message: /leads to/ })
  await t.resolves(egress({ lookup }).check('http://nowhere.test/'), 'a name that leads nowhere is not judged')
})

t.test('a name that leads elsewhere a moment later leads nowhere', async (t) => {
  const rebinding = names({ 'rebind.test': [['8.8.8.8'], ['127.0.0.1']] })
  const asked: string[] = []
  const careful = egress({
    lookup: async (host) => {
      asked.push(host)
      return rebinding(host)
    },
    // In place of the network: tells what it was to connect to, by the very lookup that it was given.
    open: (options) => {
      options.lookup!(options.host!, { all: true }, (_error, found) => asked.push(JSON.stringify(found)))
      return connect(9, '127.0.0.1')
    },
  })
  await t.resolves(careful.check('http://rebind.test/'), 'public when it is looked at')
  t.match(await refusal(`http://rebind.test:${port}/`, careful), /^refused/, 'and judged anew when it is connected to')
  const pinned = egress({
    lookup: names({ 'rebind.test': [['8.8.8.8'], ['127.0.0.1']] }),
    open: (options) => {
      options.lookup!(options.host!, { all: true }, (_error, found) => asked.push(JSON.stringify(found)))
      return connect(9, '127.0.0.1')
    },
  })
  await refusal('http://rebind.test/', pinned)
  t.equal(asked.at(-1), '[{"address":"8.8.8.8","family":4}]', 'the connection goes to the address that was judged')
})

t.test('a connection that ends elsewhere than it should is cut before a byte', async (t) => {
  const bytes: Buffer[] = []
  const listener = createServer().on('connection', (socket) => socket.on('data', (chunk) => bytes.push(chunk)))
  const at = await listen(listener)
  const diverted = egress({ lookup: names({ 'ok.test': [['8.8.8.8']] }), open: () => connect(at, '127.0.0.1') })
  for (const url of ['http://ok.test/', 'https://ok.test/', 'http://8.8.8.8/', 'https://8.8.8.8/'])
    t.match(await refusal(url, diverted), /^refused: .* an address of this machine/, url)
  await t.rejects(diverted.connect('ok.test', 80), { message: /leads to an address of this machine/ })
  t.equal(Buffer.concat(bytes).length, 0)
  listener.closeAllConnections()
  listener.close()
})

const home = { 'home.test': [['127.0.0.1']], 'other.test': [['127.0.0.1']], localhost: [['127.0.0.1']] }
const open = egress({ rules: { allow: ['home.test', '*.other.test', 'other.test'] }, lookup: names(home) })
const at = (path: string, host = 'home.test') => `http://${host}:${port}${path}`

t.test('redirects are followed five times at most, and each is judged like the first', async (t) => {
  const to = (url: string, status = 302) => at(`/to?status=${status}&url=${encodeURIComponent(url)}`)
  const ask = (url: string, options = {}) =>
    open.fetchOutside(url, { timeoutMs: 2000, ...options }).then(
      (response) => response,
      (error: OutsideError) => `${error.reason}: ${error.message}`,
    )
  for (const url of [
    ...[`http://127.0.0.1:${port}/x`, `http://localhost:${port}/x`, 'http://169.254.169.254/', 'http://10.0.0.1/'],
    ...['file:///etc/passwd', `http://u:p@home.test:${port}/`, `//127.0.0.1:${port}/x`],
  ]) {
    const before = heard.length
    t.match(await ask(to(url)), /^refused: /, url)
    t.equal(heard.length, before + 1, 'only the first was asked')
  }
  t.match(await ask(at('/round')), /^malformed: .*more than 5 times/)
  t.match(await ask(to('http://[')), /^malformed: /)
  const methods: [number, string, string][] = [
    [301, 'POST', 'GET'],
    [302, 'POST', 'GET'],
    [303, 'PUT', 'GET'],
    [303, 'HEAD', 'HEAD'],
    [307, 'POST', 'POST'],
    [308, 'PUT', 'PUT'],
    [302, 'DELETE', 'DELETE'],
  ]
  for (const [status, method, then] of methods) {
    const sent = {
      method,
      body: method === 'HEAD' ? null : '{"a":1}',
      headers: { authorization: 'Bearer x', cookie: 'c=1', 'x-hook-secret': 's', 'content-type': 'application/json' },
    }
    const response = (await ask(to(at('/landed', 'other.test'), status), sent)) as Response
    t.equal(response.url, at('/landed', 'other.test'))
    const last = heard.at(-1)!
    t.match(last, { url: '/landed', method: then }, `${status} ${method}`)
    t.equal(last.body, then === method && method !== 'HEAD' ? '{"a":1}' : '', 'its body')
    for (const name of ['authorization', 'cookie', 'x-hook-secret']) t.notOk(last.headers[name], `no ${name} elsewhere`)
    await ask(to(at('/near'), status), sent)
    t.equal(heard.at(-1)!.headers.authorization, 'Bearer x', 'kept at the same origin')
  }
  t.equal(((await ask(to(at('/landed')), { redirect: 'manual' })) as Response).status, 302)
  t.match(await ask(to(at('/landed')), { redirect: 'error' }), /^malformed: /)
})

t.test('an answer is bounded in bytes, unpacked bytes and time', async (t) => {
  const ask = async (path: string, options = {}) => {
    const started = performance.now()
    const outcome = await open.fetchOutside(at(path), { timeoutMs: 700, ...options }).then(
      (response) => response,
      (error: OutsideError) => error.reason ?? error,
    )
    t.ok(performance.now() - started < 5000, `${path} ends soon`)
    return outcome as any
  }
  t.equal(await (await ask('/')).text(), 'reached')
  t.equal(await (await ask('/packed')).text(), 'unpacked')
  t.equal((await ask('/packed')).headers.get('content-encoding'), null)
  t.equal((await ask('/nothing')).status, 204)
  t.same((await ask('/cookie')).headers.getSetCookie(), ['a=1', 'b=2'])
  t.notOk(heard.at(-1)!.headers.cookie, 'and never sent back')
  await ask('/')
  t.notOk(heard.at(-1)!.headers.cookie)
  t.equal(await ask('/', { maxBytes: 6 }), 'too_large')
  t.equal(await ask('/endless'), 'too_large')
  t.equal(await ask('/bomb', { timeoutMs: 5000 }), 'too_large', 'fifty megabytes in fifty kilobytes')
  t.equal(await ask('/broken'), 'malformed')
  t.equal(await ask('/odd'), 'malformed')
  t.equal(await ask('/silent'), 'timeout')
  t.equal(await ask('/stalling'), 'timeout')
  const reason = new Error('enough')
  t.equal(await ask('/silent', { signal: AbortSignal.abort(reason) }), reason, 'the caller’s own signal')
  await ask('/', { headers: { host: 'evil.test', connection: 'close', 'content-length': '99', accept: 'text/plain' } })
  t.match(
    heard.at(-1)!.headers,
    { host: `home.test:${port}`, accept: 'text/plain' },
    'the connection’s headers are ours',
  )
  t.match(await refusal('http://home.test:1/', open), /^unreachable: Nothing listens at home.test:1/)
  t.match(
    await refusal(`https://home.test:${securePort}/`, open),
    /^unreachable/,
    'a certificate that nobody vouches for',
  )
})

t.test('what the operator allows is reached, and nothing beside it', async (t) => {
  const reached = async (url: string, how: Egress) => /^reached/.test(await refusal(url, how).catch(String))
  const ranges = egress({ rules: { allow: ['127.0.0.0/30', '::1'] }, lookup: names(home) })
  t.ok(await reached(at('/', 'localhost'), ranges), 'by its range')
  t.ok(await reached(at('/', '127.0.0.1'), ranges))
  t.ok(await reached(at('/', '[::ffff:127.0.0.1]'), ranges), 'in another spelling')
  t.match(await refusal(at('/', '127.0.0.9'), ranges), /^refused/)
  t.match(await refusal(at('/', 'sub.home.test'), open), /^unreachable/, 'no name below an allowed one')
  t.match(await refusal(at('/', '127.0.0.1'), open), /^refused/, 'nor the address itself')
  const all = egress({ rules: { reach: 'private' }, lookup: names(home) })
  t.ok(await reached(at('/', 'localhost'), all), 'a laptop reaches itself')
  for (const url of [
    'http://169.254.169.254/',
    'http://[fd00:ec2::254]/',
    'http://100.100.100.200/',
    'http://[fe80::1]/',
  ])
    t.match(await refusal(url, all), /^refused/, `but not ${url}`)
  t.notOk(all.guarded)
})

t.test('no proxy of the environment is used', async (t) => {
  process.env.HTTP_PROXY = process.env.http_proxy = 'http://127.0.0.1:1'
  t.teardown(() => {
    delete process.env.HTTP_PROXY
    delete process.env.http_proxy
  })
  t.equal((await open.fetchOutside(at('/'))).status, 200)
})
