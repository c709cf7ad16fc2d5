import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { api } from './api.ts'
import { bugs as known, plant } from './bugs.ts'
import { failurePage } from './pages/failure.ts'
import { pages } from './pages.ts'
import { readBody } from './read.ts'
import { Refusal } from './refusal.ts'
import { openSessions, type Sessions } from './sessions.ts'
import { type Answer, json, page, type Routes, redirect, type Visit } from './visit.ts'

export interface Shop {
  /** Such as http://127.0.0.1:4100, without a slash at the end. */
  url: string
  close(): Promise<void>
  /** Forgets every session. */
  reset(): void
}

const files: Record<string, string> = { css: 'text/css', js: 'text/javascript' }

const client: Routes = {
  'GET /client/:file': async ({ params }) => {
    const name = /^[a-z]+\.(css|js)$/.exec(params.file ?? '')
    const missing = new Refusal(404, 'not_found', 'There is no such file.')
    if (!name) throw missing
    const body = await readFile(new URL(`client/${name[0]}`, import.meta.url)).catch(() => Promise.reject(missing))
    return { status: 200, headers: { 'content-type': `${files[name[1] ?? '']}; charset=utf-8` }, body }
  },
}

const routes = Object.entries({ ...pages, ...api, ...client }).map(([key, handler]) => {
  const [method, path = ''] = key.split(' ')
  return { method, parts: path.split('/'), handler }
})

function match(method: string, path: string) {
  const parts = path.split('/')
  for (const route of routes) {
    if (route.method !== method || route.parts.length !== parts.length) continue
    const pairs = route.parts.map((part, at) => [part, parts[at] ?? ''] as const)
    if (!pairs.every(([part, value]) => part === value || (part.startsWith(':') && value))) continue
    const params = pairs.filter(([part]) => part.startsWith(':')).map(([part, value]) => [part.slice(1), value])
    return { handler: route.handler, params: Object.fromEntries(params) as Record<string, string> }
  }
  throw new Refusal(404, 'not_found', 'There is nothing here.')
}

function cookiesOf(request: IncomingMessage): Record<string, string> {
  const pairs = (request.headers.cookie ?? '').split(/;\s*/).map((pair) => pair.split(/=(.*)/s).slice(0, 2))
  return Object.fromEntries(pairs.filter((pair) => pair.length === 2))
}

/** `?fresh=1` begins a new session and `?bug=a,b` plants bugs for this browser alone; both then leave the address. */
function command(url: URL, sessions: Sessions): Answer | undefined {
  const set: string[] = []
  if (url.searchParams.get('fresh')) set.push(`session=${sessions.of(undefined).id}; Path=/; HttpOnly; SameSite=Lax`)
  const bug = url.searchParams.get('bug')
  if (bug !== null) {
    plant(bug.split(',').filter(Boolean))
    set.push(`bug=${bug.replaceAll(',', '.')}; Path=/; SameSite=Lax`)
  }
  if (!set.length) return undefined
  url.searchParams.delete('fresh')
  url.searchParams.delete('bug')
  return redirect(url.pathname + url.search, set)
}

async function answer(request: IncomingMessage, visit: Visit): Promise<Answer> {
  const { method, url, bugs } = visit
  const { handler, params } = match(method, url.pathname)
  visit.params = params
  visit.body = await readBody(request)
  for (const bug of bugs) bug.before?.(method, url)
  const wait = Math.max(0, ...bugs.map((bug) => bug.delay?.(url) ?? 0))
  if (wait) await pause(wait)
  return handler(visit)
}

function failure(error: unknown, visit: Visit): Answer {
  const wrong = error instanceof Refusal ? error : new Refusal(500, 'internal', 'Something went wrong on our side.')
  if (!(error instanceof Refusal))
    process.stderr.write(`The shop failed at ${visit.method} ${visit.url.pathname}: ${error}\n`)
  if (visit.url.pathname.startsWith('/api/')) return json(wrong.status, { error: wrong.code, message: wrong.message })
  if (wrong.status === 401) return redirect(`/login?next=${encodeURIComponent(visit.url.pathname)}`)
  return page(failurePage(visit, wrong), wrong.status)
}

async function serve(request: IncomingMessage, response: ServerResponse, sessions: Sessions, names: string[]) {
  const url = new URL(`http://shop${(request.url ?? '/').replace(/^\/+/, '/')}`)
  const cookies = cookiesOf(request)
  const session = sessions.of(cookies.session)
  const here = (cookies.bug ?? '').split('.').filter((name) => Object.hasOwn(known, name))
  const bugs = plant([...new Set([...names, ...here])])
  const method = request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET')
  const visit: Visit = { method, url, params: {}, cookies, headers: request.headers, body: {}, session, sessions, bugs }
  let result: Answer
  try {
    result = (method === 'GET' && command(url, sessions)) || (await answer(request, visit))
  } catch (error) {
    const unknownBug = error instanceof RangeError && url.searchParams.has('bug')
    result = failure(unknownBug ? new Refusal(400, 'unknown_bug', error.message) : error, visit)
  }
  if (typeof result.body === 'string' && String(result.headers['content-type']).startsWith('text/html'))
    result.body = bugs.reduce((text, bug) => bug.page?.(url.pathname, text) ?? text, String(result.body))
  if (session.id !== cookies.session && !result.headers['set-cookie'])
    result.headers['set-cookie'] = `session=${session.id}; Path=/; HttpOnly; SameSite=Lax`
  response.writeHead(result.status, result.headers)
  response.end(request.method === 'HEAD' ? undefined : result.body)
}

/** Opens the shop on loopback; port 0 takes a free one. Throws a RangeError where a bug is unknown. */
export async function startShop(options: { port?: number; host?: '127.0.0.1'; bugs?: string[] } = {}): Promise<Shop> {
  const names = options.bugs ?? []
  plant(names)
  const sessions = openSessions()
  const server = createServer((request, response) => {
    serve(request, response, sessions, names).catch((error) => response.destroy(error))
  })
  // Longer than any client keeps a connection: else one may send just as the server hangs up.
  server.keepAliveTimeout = 60_000
  await new Promise<void>((done, fail) => {
    server.once('error', fail)
    server.listen(options.port ?? 0, options.host ?? '127.0.0.1', done)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reset: () => sessions.clear(),
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}
