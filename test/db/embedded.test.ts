import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import t from 'tap'
import { attachEmbedded, embeddedStatus, resetEmbedded, stopEmbedded } from '../../src/db/embedded.ts'
import { silentLog } from '../../src/db/log.ts'
import { overTcp } from '../fixtures/database.ts'

const program = new URL('../fixtures/attach.ts', import.meta.url).pathname
// No waiting for the disk: it is the processes that are killed here, not the machine.
const settings = { fsync: 'off' }
const isRoot = process.getuid?.() === 0

async function newHome(test: { teardown(fn: () => unknown): void }, parent = tmpdir()): Promise<string> {
  const home = await mkdtemp(join(parent, 'molar-home-'))
  test.teardown(async () => {
    await resetEmbedded(home)
    await rm(home, { recursive: true, force: true })
  })
  return home
}

type Attached = { ownerUrl: string; appUrl: string; dataDirectory: string; error?: string }
type Process = { child: ChildProcess; attached: Promise<Attached>; leave(): Promise<void> }

function start(home: string, name: string, as?: { uid: number; gid: number }): Process {
  // `env -i`, because tap follows child processes, and one of another user cannot write where it keeps its notes.
  const compiled = `NODE_COMPILE_CACHE=${process.env.NODE_COMPILE_CACHE ?? ''}` // another user may at least read it
  const child = spawn('/usr/bin/env', ['-i', `HOME=${home}`, compiled, process.execPath, program, home, name], {
    ...as,
    cwd: '/',
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout! })
  const attached = once(lines, 'line').then(([line]) => JSON.parse(line as string) as Attached)
  const exited = once(child, 'exit')
  return {
    child,
    attached,
    async leave() {
      child.stdin!.write('leave\n')
      await exited
    },
  }
}

async function query<T extends object>(url: string, text: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<T>(text)).rows
  } finally {
    await client.end()
  }
}

t.setTimeout(90_000)
// initdb takes a second of work: the tests up to "reset" follow each other on one home, each leaving it stopped.
const home = await newHome(t)
/** Attached by this process, where it need not be one of its own. */
const here = (applicationName: string) => attachEmbedded({ home, applicationName, log: silentLog, settings })

t.test('three processes on an empty home share one server, and the last one out stops it', async (t) => {
  t.same(await embeddedStatus(home), { state: 'absent' })
  const all = ['one', 'two', 'three'].map((name) => start(home, name))
  const attached = await Promise.all(all.map((one) => one.attached))
  t.equal(new Set(attached.map(({ ownerUrl }) => ownerUrl)).size, 1, 'one URL for all')
  const status = await embeddedStatus(home)
  if (status.state !== 'running') return void t.fail(`it is ${status.state}`)
  t.same(status.processes.sort(), ['one', 'three', 'two'])
  const files = await readdir(dirname(status.dataDirectory))
  t.same(files.filter((file) => /^(data|postgres-)/.test(file)).length, 2, 'no drafts are left behind')
  t.equal((await stat(join(home, 'postgres.json'))).mode & 0o777, 0o600)
  t.match((await stat(status.dataDirectory)).mode & 0o777, 0o700)
  if (isRoot) t.equal((await stat(status.dataDirectory)).uid, 65534, 'and it does not run as root')

  await Promise.all(all.slice(0, 2).map((one) => one.leave()))
  t.equal((await embeddedStatus(home)).state, 'running', 'while one is left it goes on')
  await all[2]!.leave()
  t.equal((await embeddedStatus(home)).state, 'stopped')
})

t.test(
  'it listens on 127.0.0.1 and a private socket only, asks for a password, and the application login can do nothing',
  async (t) => {
    const embedded = await attachEmbedded({ home, applicationName: 'test', log: silentLog })
    t.teardown(() => embedded.leave())
    const wrong = new URL(embedded.ownerUrl)
    wrong.password = 'wrong'
    for (const url of [wrong.href, overTcp(wrong.href)]) await t.rejects(query(url, 'select 1'), { code: '28P01' })
    const hashes = 'select left(rolpassword, 16) as hash from pg_authid where rolcanlogin order by rolname'
    t.same(await query(embedded.ownerUrl, hashes), [{ hash: 'SCRAM-SHA-256$1:' }, { hash: 'SCRAM-SHA-256$1:' }])
    await query(embedded.ownerUrl, 'create table secrets (id int)')
    await t.rejects(query(embedded.appUrl, 'select * from secrets'), { code: '42501' })
    await t.rejects(query(embedded.appUrl, 'create table mine (id int)'), { code: '42501' })
    const settings = await query<{ name: string; setting: string }>(
      embedded.ownerUrl,
      `select name, setting from pg_settings where name in ('listen_addresses', 'unix_socket_directories', 'fsync')`,
    )
    t.same(Object.fromEntries(settings.map(({ name, setting }) => [name, setting])), {
      fsync: 'on',
      listen_addresses: '127.0.0.1',
      unix_socket_directories: `"${embedded.dataDirectory}"`,
    })
    const bySocket = 'select inet_server_addr() is null as socket'
    t.same(await query(embedded.appUrl, bySocket), [{ socket: true }])
    t.same(await query(overTcp(embedded.appUrl), bySocket), [{ socket: false }])
  },
)

t.test('the process that started it is killed: the server stays, and so does every row', async (t) => {
  const first = start(home, 'first')
  const { ownerUrl } = await first.attached
  await query(ownerUrl, 'drop table if exists kept; create table kept as select generate_series(1, 1000) as id')
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  const second = await here('second')
  t.equal(second.ownerUrl, ownerUrl)
  t.same(await query(ownerUrl, 'select count(*)::int as rows from kept'), [{ rows: 1000 }])
  await second.leave()
  t.equal((await embeddedStatus(home)).state, 'stopped')
})

t.test(
  'postgres is killed: a process that holds it starts it again on the same port, nothing committed lost',
  async (t) => {
    const one = start(home, 'one')
    const [{ ownerUrl }, two] = await Promise.all([one.attached, here('two')])
    await query(ownerUrl, 'drop table if exists kept; create table kept as select generate_series(1, 1000) as id')
    const before = await embeddedStatus(home)
    if (before.state !== 'running') return void t.fail(`it is ${before.state}`)
    process.kill(before.pid, 'SIGKILL')
    let rows: object[] | undefined
    for (let left = 200; left > 0 && !rows; left--) {
      rows = await query(ownerUrl, 'select count(*)::int as rows from kept').catch(() => undefined)
      if (!rows) await sleep(50)
    }
    t.same(rows, [{ rows: 1000 }])
    const after = await embeddedStatus(home)
    if (after.state !== 'running') return void t.fail(`it is ${after.state}`)
    t.not(after.pid, before.pid)
    for (let left = 100; left > 0; left--) {
      const now = await embeddedStatus(home)
      if (now.state === 'running' && now.processes.length === 2) break
      await sleep(50)
    }
    await Promise.all([one.leave(), two.leave()])
    t.equal((await embeddedStatus(home)).state, 'stopped')
  },
)

t.test('everything is killed at once: the next start recovers', async (t) => {
  const one = start(home, 'one')
  const { ownerUrl } = await one.attached
  await query(ownerUrl, 'drop table if exists kept; create table kept as select generate_series(1, 1000) as id')
  const status = await embeddedStatus(home)
  if (status.state !== 'running') return void t.fail(`it is ${status.state}`)
  one.child.kill('SIGKILL')
  process.kill(status.pid, 'SIGKILL')
  await sleep(20)
  const next = await here('next')
  t.same(await query(next.ownerUrl, 'select count(*)::int as rows from kept'), [{ rows: 1000 }])
  await next.leave()
})

t.test('a pid file that names another program does not keep it from starting', async (t) => {
  const first = await here('first')
  const pidFile = join(first.dataDirectory, 'postmaster.pid')
  const text = await readFile(pidFile, 'utf8')
  await first.leave()
  const foreign = text.replace(/^\d+/, `${process.pid}`)
  await writeFile(pidFile, foreign, { mode: 0o600 })
  await writeFile(join(first.dataDirectory, `.s.PGSQL.${new URL(first.appUrl).port}.lock`), foreign, { mode: 0o600 })
  const again = await here('again')
  t.same(await query(again.ownerUrl, 'select 1 as one'), [{ one: 1 }])
  await again.leave()
})

t.test('stop is not undone by those who hold it; they come back with the next who starts it', async (t) => {
  const one = start(home, 'one')
  await one.attached
  t.equal(await stopEmbedded(home), true)
  t.equal(await stopEmbedded(home), false)
  await sleep(700)
  t.equal((await embeddedStatus(home)).state, 'stopped')
  const two = await here('two')
  t.same(two.ownerUrl, (await one.attached).ownerUrl)
  for (let left = 100; left > 0; left--) {
    const now = await embeddedStatus(home)
    if (now.state === 'running' && now.processes.length === 2) break
    await sleep(50)
  }
  t.match(await embeddedStatus(home), { processes: { length: 2 } })
  await Promise.all([one.leave(), two.leave()])
})

t.test('leaving and coming at the same moment never leaves anyone without a server', async (t) => {
  const visit = async (name: string) => {
    for (let round = 0; round < 6; round++) {
      const embedded = await here(name)
      t.same(await query(embedded.ownerUrl, 'select 1 as one'), [{ one: 1 }])
      await sleep(Math.random() * 20)
      await embedded.leave()
    }
  }
  await Promise.all(['a', 'b', 'c'].map(visit))
  t.equal((await embeddedStatus(home)).state, 'stopped')
})

t.test('reset deletes the data', async (t) => {
  await resetEmbedded(home)
  t.same(await embeddedStatus(home), { state: 'absent' })
  t.same(await readdir(home), [])
})

t.test('as an ordinary user it runs as that user, under a long path by TCP alone', { skip: !isRoot }, async (t) => {
  const parent = await mkdtemp(join(tmpdir(), `molar-${'long'.repeat(20)}-`))
  await chmod(parent, 0o755)
  t.teardown(() => rm(parent, { recursive: true, force: true }))
  const home = await newHome(t, parent)
  const { chown } = await import('node:fs/promises')
  await chown(home, 12345, 12345)
  const one = start(home, 'one', { uid: 12345, gid: 12345 })
  const attached = await one.attached
  t.equal(attached.error, undefined)
  t.equal((await stat(attached.dataDirectory)).uid, 12345)
  t.same(await query(attached.appUrl, 'select inet_server_addr() is null as socket'), [{ socket: false }])
  await one.leave()
})

t.test('as root with a home that others cannot reach, the data lies elsewhere', { skip: !isRoot }, async (t) => {
  const closed = await mkdtemp(join(tmpdir(), 'molar-closed-'))
  await chmod(closed, 0o700)
  t.teardown(() => rm(closed, { recursive: true, force: true }))
  const home = await newHome(t, closed)
  const embedded = await attachEmbedded({ home, applicationName: 'one', log: silentLog, settings })
  t.notOk(embedded.dataDirectory.startsWith(closed))
  t.same(await query(embedded.ownerUrl, 'select 1 as one'), [{ one: 1 }])
  await embedded.leave()
  await resetEmbedded(home)
  await t.rejects(stat(dirname(embedded.dataDirectory)), { code: 'ENOENT' })
})

t.test('where the data directory cannot be made, the error says what to do', { skip: !isRoot }, async (t) => {
  const home = await newHome(t)
  const { chown } = await import('node:fs/promises')
  await chown(home, 0, 0)
  await chmod(home, 0o755)
  const attached = await start(home, 'one', { uid: 12345, gid: 12345 }).attached
  t.match(attached.error, /MOLAR_HOME/)
})
